using Vibe.Server.Realtime.Subscriptions;

namespace Vibe.Server.Tests.Realtime;

public sealed class StreamSignalTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly StreamSignal _signal = new(TimeProvider.System);

    public void Dispose() => _signal.Dispose();

    [Fact]
    public async Task What_is_set_while_nobody_waits_ends_the_next_wait_once()
    {
        _signal.Set();
        _signal.Set();
        await _signal.WaitAsync(TimeSpan.FromHours(1)).AsTask().WaitAsync(Bound);

        var wait = _signal.WaitAsync(Bound).AsTask();
        Assert.False(wait.IsCompleted);
        _signal.Set();
        await wait.WaitAsync(Bound);
    }

    [Fact]
    public async Task A_wait_ends_at_its_time()
    {
        // The second is earlier than what the timer was set to for the first.
        var first = _signal.WaitAsync(TimeSpan.FromHours(1)).AsTask();
        _signal.Set();
        await first.WaitAsync(Bound);
        await _signal.WaitAsync(TimeSpan.FromMilliseconds(10)).AsTask().WaitAsync(Bound);
        await _signal.WaitAsync(TimeSpan.FromMilliseconds(10)).AsTask().WaitAsync(Bound);
    }

    [Fact]
    public async Task No_news_is_lost_between_many_who_set_and_one_who_waits()
    {
        const int setters = 4, each = 20_000;
        var count = 0;
        var setting = Task.WhenAll(Enumerable.Range(0, setters).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < each; i++)
            {
                Interlocked.Increment(ref count);
                _signal.Set();
            }
        })));
        while (Volatile.Read(ref count) < setters * each)
        {
            await _signal.WaitAsync(TimeSpan.FromHours(1)).AsTask().WaitAsync(Bound);
        }

        await setting;
    }
}
