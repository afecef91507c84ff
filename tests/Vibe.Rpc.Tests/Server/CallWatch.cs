using System.Diagnostics.Metrics;

namespace Vibe.Rpc.Tests.Server;

/// <summary>Counts the calls in progress on one server, and says when there are none.</summary>
internal sealed class CallWatch : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly List<(Func<bool> Reached, TaskCompletionSource Signal)> _waiters = [];
    private long _active;
    private long _started;

    public CallWatch(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == meters && instrument.Name is "rpc.server.active_calls" or "rpc.server.response.size")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Count(instrument.Name, value));
        _listener.Start();
    }

    /// <summary>Bytes of response messages of all ended calls.</summary>
    public long BytesSent { get; private set; }

    public Task StartedAsync(int calls) => WhenAsync(() => _started >= calls);

    public Task NoneAsync() => WhenAsync(() => _active == 0);

    public void Dispose() => _listener.Dispose();

    private Task WhenAsync(Func<bool> reached)
    {
        lock (_lock)
        {
            if (reached())
            {
                return Task.CompletedTask;
            }

            var signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((reached, signal));
            return signal.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }
    }

    private void Count(string name, long value)
    {
        lock (_lock)
        {
            if (name == "rpc.server.response.size")
            {
                BytesSent += value;
                return;
            }

            _active += value;
            _started += value > 0 ? 1 : 0;
            foreach (var waiter in _waiters.Where(waiter => waiter.Reached()).ToList())
            {
                waiter.Signal.TrySetResult();
            }
        }
    }
}
