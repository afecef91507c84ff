using Vibe.Server.Realtime.Feed;

namespace Vibe.Server.Tests.Realtime;

public sealed class SharedReadTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly List<TaskCompletionSource<int>> _reads = [];
    private readonly SemaphoreSlim _started = new(0);
    private readonly SharedRead<int> _shared;

    public SharedReadTests() => _shared = new(() =>
    {
        var read = new TaskCompletionSource<int>();
        lock (_reads)
        {
            _reads.Add(read);
        }

        _started.Release();
        return read.Task;
    });

    public void Dispose() => _started.Dispose();

    [Fact]
    public async Task Who_comes_during_a_read_gets_the_next_one_and_shares_it()
    {
        var first = _shared.ReadAsync(CancellationToken.None);
        Assert.True(await _started.WaitAsync(Bound));
        var crowd = Enumerable.Range(0, 100).Select(_ => _shared.ReadAsync(CancellationToken.None)).ToList();
        _reads[0].SetResult(1);
        Assert.Equal(1, await first.WaitAsync(Bound));

        Assert.True(await _started.WaitAsync(Bound));
        Assert.All(crowd, static read => Assert.False(read.IsCompleted));
        _reads[1].SetResult(2);
        Assert.All(await Task.WhenAll(crowd).WaitAsync(Bound), static value => Assert.Equal(2, value));
        Assert.Equal(2, _reads.Count);
    }

    [Fact]
    public async Task A_read_that_fails_fails_its_own_callers_only()
    {
        var first = _shared.ReadAsync(CancellationToken.None);
        Assert.True(await _started.WaitAsync(Bound));
        var second = _shared.ReadAsync(CancellationToken.None);
        _reads[0].SetException(new InvalidOperationException());
        await Assert.ThrowsAsync<InvalidOperationException>(() => first.WaitAsync(Bound));

        Assert.True(await _started.WaitAsync(Bound));
        _reads[1].SetResult(2);
        Assert.Equal(2, await second.WaitAsync(Bound));
    }

    [Fact]
    public async Task Who_leaves_takes_nothing_from_the_others()
    {
        // While one runs, both wait for the same next one.
        var first = _shared.ReadAsync(CancellationToken.None);
        Assert.True(await _started.WaitAsync(Bound));
        using var leave = new CancellationTokenSource();
        var gone = _shared.ReadAsync(leave.Token);
        var stays = _shared.ReadAsync(CancellationToken.None);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone.WaitAsync(Bound));

        _reads[0].SetResult(1);
        Assert.Equal(1, await first.WaitAsync(Bound));
        Assert.True(await _started.WaitAsync(Bound));
        _reads[1].SetResult(2);
        Assert.Equal(2, await stays.WaitAsync(Bound));
    }
}
