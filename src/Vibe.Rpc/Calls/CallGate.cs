namespace Vibe.Rpc.Calls;

/// <summary>
/// Lets one operation at a time through, and none after the call has ended. A handler that returns while a read or write of
/// its own is still running would otherwise touch a pipe that Kestrel has already given to the next request.
/// </summary>
internal sealed class CallGate(string operation)
{
    private const int Idle = 0;
    private const int Busy = 1;
    private const int Closing = 2;
    private const int Closed = 3;

    private int _state;
    private TaskCompletionSource? _drained;

    /// <summary>Enters, or throws when an operation is pending or the call is over.</summary>
    public void Enter()
    {
        switch (Interlocked.CompareExchange(ref _state, Busy, Idle))
        {
            case Idle:
                return;
            case Busy:
                throw new InvalidOperationException($"Only one {operation} may be pending at a time.");
            default:
                throw new InvalidOperationException($"No {operation} is possible after the call has ended.");
        }
    }

    public void Exit()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Busy) == Closing)
        {
            Volatile.Write(ref _state, Closed);
            _drained!.TrySetResult();
        }
    }

    /// <summary>Refuses further operations and completes when the pending one, if any, is out.</summary>
    public ValueTask CloseAsync()
    {
        while (true)
        {
            if (Interlocked.CompareExchange(ref _state, Closed, Idle) != Busy)
            {
                return default;
            }

            _drained ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Interlocked.CompareExchange(ref _state, Closing, Busy) == Busy)
            {
                return new(_drained.Task);
            }
        }
    }
}
