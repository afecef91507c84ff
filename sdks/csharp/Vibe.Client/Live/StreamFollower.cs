using System.Runtime.CompilerServices;
using Grpc.Core;
using Vibe.Client.Calls;

namespace Vibe.Client.Live;

/// <summary>How a frame ends its stream.</summary>
/// <param name="AccessLost">Why access was lost; null when it was not.</param>
/// <param name="Reconnect">After which pause to come back; null when it is not asked for.</param>
internal readonly record struct StreamEnd(string? AccessLost, TimeSpan? Reconnect);

/// <summary>
/// Reads a stream, and opens it again whenever it ends: after a pause, with a fresh token, until the caller leaves or may no longer listen.
/// </summary>
internal sealed class StreamFollower<TFrame>(Connection connection, VibeCallInvoker invoker, Func<TFrame, StreamEnd> endOf)
    where TFrame : class
{
    private readonly Backoff _backoff = new(connection.Options.LongestPause);
    private bool _triedAnotherToken;

    /// <summary>The frames of one stream after the other.</summary>
    /// <param name="open">Opens the next stream; it is told when to stop reading.</param>
    /// <param name="isHandled">Whether a failure that would end all was taken care of, so that the stream is opened again at once.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="VibeException">The caller may not, or no longer.</exception>
    public async IAsyncEnumerable<TFrame> ReadAsync(
        Func<CallOptions, AsyncServerStreamingCall<TFrame>> open, Func<VibeException, bool>? isHandled,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            TimeSpan? pause = null;
            var reason = "it came to its end";
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            using var call = open(new CallOptions(cancellationToken: stop.Token));
            while (true)
            {
                TFrame? frame = null;
                try
                {
                    frame = await NextAsync(call.ResponseStream, stop, cancellationToken).ConfigureAwait(false);
                    if (frame is not null && endOf(frame) is { AccessLost: { } lost })
                    {
                        throw new VibeException(StatusCode.Unauthenticated, lost, "Access has ended.");
                    }
                }
                catch (VibeException failure)
                {
                    (frame, reason) = (null, failure.Reason);
                    pause = await PauseAfterAsync(failure, isHandled, cancellationToken).ConfigureAwait(false);
                }

                if (frame is null)
                {
                    break;
                }

                _backoff.Reset();
                _triedAnotherToken = false;
                if (endOf(frame).Reconnect is { } asked)
                {
                    (pause, reason) = (asked, "the server stops");
                    break;
                }

                yield return frame;
            }

            var wait = _backoff.Next(pause);
            VibeLog.Reopens(connection.Log, reason, wait.TotalMilliseconds);
            await Task.Delay(wait, connection.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    // The next frame; null at the end. Silence for too long is a connection that is dead.
    private async Task<TFrame?> NextAsync(IAsyncStreamReader<TFrame> frames, CancellationTokenSource stop, CancellationToken cancellationToken)
    {
        var next = frames.MoveNext(stop.Token);
        try
        {
            return await next.WaitAsync(connection.Options.Silence, connection.Time, cancellationToken).ConfigureAwait(false) ? frames.Current : null;
        }
        catch (TimeoutException)
        {
            await AbandonAsync(next, stop).ConfigureAwait(false);
            throw VibeException.OfNetwork("The connection is silent.");
        }
        catch (OperationCanceledException)
        {
            await AbandonAsync(next, stop).ConfigureAwait(false);
            throw;
        }
    }

    private static async Task AbandonAsync(Task next, CancellationTokenSource stop)
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await next.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // The pause before the next attempt, null for the usual one; throws when there is none.
    private async Task<TimeSpan?> PauseAfterAsync(VibeException failure, Func<VibeException, bool>? isHandled, CancellationToken cancellationToken)
    {
        if (isHandled?.Invoke(failure) == true || failure.ForgetsConsistency || failure.Reason == "ACCESS_CHANGED")
        {
            return TimeSpan.Zero;
        }

        // Once, until a stream delivers again: a token that nobody replaces stays refused.
        if (IsWorthAnotherToken(failure) && !_triedAnotherToken)
        {
            _triedAnotherToken = true;
            await RenewAsync(cancellationToken).ConfigureAwait(false);
            return TimeSpan.Zero;
        }

        return failure.IsTransient || failure.StatusCode is StatusCode.Internal or StatusCode.DeadlineExceeded
            ? failure.RetryAfter
            : throw failure;
    }

    private bool IsWorthAnotherToken(VibeException failure) =>
        failure.WantsOtherToken || (failure.Reason is "TOKEN_REVOKED" or "TOKEN_INVALID" && invoker.Tokens.OutlivesRevocation);

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        try
        {
            var token = await invoker.Tokens.GetAsync(refused: null, cancellationToken).ConfigureAwait(false);
            await invoker.Tokens.GetAsync(token?.Value, cancellationToken).ConfigureAwait(false);
        }
        catch (VibeException exception) when (exception.IsTransient)
        {
            // The next attempt asks again.
        }
    }
}
