using Grpc.Core;

namespace Vibe.Rpc.Calls;

/// <summary>The client's messages as the handler reads them.</summary>
internal sealed class RequestStream<T>(RpcCall call) : IAsyncStreamReader<T>
    where T : class
{
    private static readonly Task<bool> OneRead = Task.FromResult(true);
    private static readonly Task<bool> NoneLeft = Task.FromResult(false);

    private readonly CallGate _gate = new("read");
    private bool _ended;

    public T Current
    {
        get => field ?? throw new InvalidOperationException("There is no current message: MoveNext has not returned true.");
        private set;
    }

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        _gate.Enter();
        if (_ended)
        {
            _gate.Exit();
            return NoneLeft;
        }

        var read = ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully ? (read.GetAwaiter().GetResult() ? OneRead : NoneLeft) : read.AsTask();
    }

    /// <summary>Ends the handler's reading: a read that it left pending is cancelled and waited for.</summary>
    public ValueTask CloseAsync()
    {
        var closed = _gate.CloseAsync();
        if (!closed.IsCompleted)
        {
            call.CancelPendingRead();
        }

        return closed;
    }

    private async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await call.ReceiveAsync(cancellationToken) is { } message)
            {
                Current = (T)message;
                return true;
            }

            _ended = true;
            return false;
        }
        finally
        {
            _gate.Exit();
        }
    }
}
