using Vibe.Errors.V1;

namespace Vibe.Server.Kernel;

/// <summary>Tells a stream when its caller's access ends or changes before the access token expires.</summary>
internal interface ICallerAccess
{
    /// <summary>Watches a caller; dispose the watch with the stream. What was lost already is told at once.</summary>
    /// <param name="caller">Whose stream it is.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    AccessWatch Watch(Caller caller, CancellationToken cancellationToken);
}

/// <summary>One stream's eye on its caller's access.</summary>
/// <param name="caller">Whose stream it is.</param>
/// <param name="forget">Takes the watch out again.</param>
/// <param name="cancellationToken">Ends the stream.</param>
internal sealed class AccessWatch(Caller caller, Action<AccessWatch> forget, CancellationToken cancellationToken) : IDisposable
{
    private const int Over = -1;

    private readonly CancellationTokenSource _over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private int _reason;
    private IDisposable? _kept;

    /// <summary>Whose stream it is.</summary>
    public Caller Caller { get; } = caller;

    /// <summary>Fires when the stream ends; and when the access is lost: stop sending, say <see cref="Reason"/>, end the stream.</summary>
    public CancellationToken Token => _over.Token;

    /// <summary>
    /// Why: <see cref="ErrorReason.TokenRevoked"/>, or <see cref="ErrorReason.AccessChanged"/> when the same token would now have
    /// other rights. Null while nothing is lost.
    /// </summary>
    public ErrorReason? Reason => Volatile.Read(ref _reason) is var reason and > 0 ? (ErrorReason)reason : null;

    /// <summary>Disposes something with the watch.</summary>
    public void KeepUntilDisposed(IDisposable kept) => _kept = kept;

    /// <summary>The access is lost; only the first reason counts.</summary>
    public void Lose(ErrorReason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, 0) == 0)
        {
            // Not here: whoever tells it must not run what streams do about it.
            _ = _over.CancelAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        forget(this);
        _kept?.Dispose();
        if (Interlocked.CompareExchange(ref _reason, Over, 0) == 0)
        {
            _over.Dispose();
        }
    }
}
