using Grpc.Core;

namespace Vibe.Client.Calls;

/// <summary>How one call stands, whichever of its attempts.</summary>
internal sealed class CallState : IDisposable
{
    private readonly CancellationTokenSource _cancel;
    private int _released;
    private Status? _status;
    private Metadata? _trailers;

    public CallState(CancellationToken cancellationToken)
    {
        _cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Token = _cancel.Token;
    }

    public CancellationToken Token { get; }

    public TaskCompletionSource<Metadata> Headers { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Status Status => _status ?? throw new InvalidOperationException("The call still runs.");

    public Metadata Trailers => _trailers ?? throw new InvalidOperationException("The call still runs.");

    public void Succeed(Metadata headers, Metadata trailers)
    {
        (_status, _trailers) = (new Status(StatusCode.OK, ""), trailers);
        Headers.TrySetResult(headers);
        Release(cancel: false);
    }

    public void Fail(RpcException exception)
    {
        (_status, _trailers) = (exception.Status, exception.Trailers);
        Headers.TrySetResult([]);
        Release(cancel: false);
    }

    /// <summary>The caller cancelled it.</summary>
    public void Cancelled()
    {
        (_status, _trailers) = (new Status(StatusCode.Cancelled, "The call was cancelled."), []);
        Headers.TrySetCanceled();
        Release(cancel: false);
    }

    public void Dispose() => Release(cancel: true);

    // A linked source that is not disposed stays with the caller's token for as long as that lives.
    private void Release(bool cancel)
    {
        if (Interlocked.Exchange(ref _released, 1) != 0)
        {
            return;
        }

        if (cancel)
        {
            _cancel.Cancel();
        }

        _cancel.Dispose();
    }
}
