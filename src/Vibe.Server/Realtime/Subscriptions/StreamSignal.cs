using System.Threading.Tasks.Sources;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>
/// Wakes the loop of one stream: when somebody has something for it, or when a time has come. One waits, anybody sets; what is
/// set while nobody waits is not forgotten. Waiting allocates nothing, and the timer is touched only when it would be late.
/// </summary>
internal sealed class StreamSignal : IValueTaskSource, IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private long _rings = long.MaxValue;
    private bool _isSet;
    private bool _isAwaited;

    /// <summary>Makes a signal that is not set.</summary>
    public StreamSignal(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static self => ((StreamSignal)self!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends the wait, or the next one.</summary>
    public void Set()
    {
        lock (_gate)
        {
            _isSet = !_isAwaited;
            if (!_isAwaited)
            {
                return;
            }

            _isAwaited = false;
        }

        _source.SetResult(true);
    }

    /// <summary>Waits until it is set, or for a time. It may come back early: the loop looks what there is to do.</summary>
    public ValueTask WaitAsync(TimeSpan time)
    {
        var due = _time.GetTimestamp() + (long)(time.TotalSeconds * _time.TimestampFrequency);
        lock (_gate)
        {
            if (_isSet)
            {
                _isSet = false;
                return ValueTask.CompletedTask;
            }

            if (due < _rings)
            {
                _rings = due;
                _timer.Change(time > TimeSpan.Zero ? time : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }

            _source.Reset();
            _isAwaited = true;
            return new ValueTask(this, _source.Version);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Ring()
    {
        lock (_gate)
        {
            _rings = long.MaxValue;
        }

        Set();
    }
}
