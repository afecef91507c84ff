using Grpc.Core;
using Vibe.Client.Auth;

namespace Vibe.Client.Calls;

/// <summary>The responses of a call that starts when they are first asked for, because a token may have to be fetched before.</summary>
internal sealed class AuthorizedStream<TResponse>(
    TokenSource tokens, CallState state, Func<AccessToken?, Task<AsyncServerStreamingCall<TResponse>>> open, Func<RpcException, VibeException> failed)
    : IAsyncStreamReader<TResponse>
{
    private AsyncServerStreamingCall<TResponse>? _call;
    private bool _delivered;

    public TResponse Current => _call is null ? throw new InvalidOperationException("Nothing was read yet.") : _call.ResponseStream.Current;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        AccessToken? token = null;
        try
        {
            if (_call is null)
            {
                token = await tokens.GetAsync(refused: null, cancellationToken).ConfigureAwait(false);
                _call = await open(token).ConfigureAwait(false);
            }

            return await ReadAsync(_call, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException exception) when (IsWorthAnotherToken(exception, token))
        {
            _call?.Dispose();
        }
        catch (RpcException exception)
        {
            throw Ended(exception);
        }

        try
        {
            _call = await open(await tokens.GetAsync(token!.Value, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
            return await ReadAsync(_call, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException exception)
        {
            throw Ended(exception);
        }
    }

    private bool IsWorthAnotherToken(RpcException exception, AccessToken? token) =>
        !_delivered && token is not null && VibeException.From(exception).WantsOtherToken;

    private async Task<bool> ReadAsync(AsyncServerStreamingCall<TResponse> call, CancellationToken cancellationToken)
    {
        var found = await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false);
        if (!_delivered)
        {
            _delivered = true;
            state.Headers.TrySetResult(await call.ResponseHeadersAsync.ConfigureAwait(false));
        }

        if (!found)
        {
            state.Succeed([], call.GetTrailers());
        }

        return found;
    }

    private VibeException Ended(RpcException exception)
    {
        var failure = failed(exception);
        state.Fail(failure);
        return failure;
    }
}
