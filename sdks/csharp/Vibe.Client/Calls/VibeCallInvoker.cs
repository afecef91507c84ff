using Grpc.Core;
using Vibe.Client.Auth;

namespace Vibe.Client.Calls;

/// <summary>
/// Makes calls as somebody: with their token, a proof of the key it is bound to, and the consistency token of what they wrote. Repeats
/// what is safe to repeat, and turns failures into <see cref="VibeException"/>. Thread-safe.
/// </summary>
internal sealed class VibeCallInvoker(Connection connection, TokenSource tokens) : CallInvoker
{
    private const string ConsistencyHeader = "vibe-consistency-token";
    private volatile string _consistency = "";

    public TokenSource Tokens => tokens;

    /// <summary>Somebody else's writes are none of the next caller's business.</summary>
    public void ForgetConsistency() => _consistency = "";

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        AsyncUnaryCall(method, host, options, request).GetAwaiter().GetResult();

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var call = new CallState(options.CancellationToken);
        return new(
            RepeatAsync(method, host, options.WithCancellationToken(call.Token), request, call),
            call.Headers.Task, () => call.Status, () => call.Trailers, call.Dispose);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var call = new CallState(options.CancellationToken);
        var stream = new AuthorizedStream<TResponse>(tokens, call, async token =>
            connection.Invoker.AsyncServerStreamingCall(
                method, host,
                options.WithCancellationToken(call.Token).WithHeaders(
                    await HeadersAsync(method, options.Headers, MethodRules.Of(method.FullName), token).ConfigureAwait(false)),
                request), Failed);
        return new(stream, call.Headers.Task, () => call.Status, () => call.Trailers, call.Dispose);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        throw new NotSupportedException("No method of the contract takes a stream of requests.");

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        throw new NotSupportedException("No method of the contract takes a stream of requests.");

    private async Task<TResponse> RepeatAsync<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request, CallState call)
        where TRequest : class
        where TResponse : class
    {
        var rules = MethodRules.Of(method.FullName);
        var backoff = new Backoff(connection.Options.LongestPause);
        var deadline = options.Deadline ?? (connection.Time.GetUtcNow() + connection.Options.Timeout).UtcDateTime;
        request = rules.WithRequestId(request);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                VibeException failure;
                try
                {
                    return await AuthorizedAsync(method, host, options.WithDeadline(deadline), request, rules, call).ConfigureAwait(false);
                }
                catch (RpcException exception)
                {
                    failure = Failed(exception);
                }

                var pause = failure.ForgetsConsistency ? TimeSpan.Zero : backoff.Next(failure.RetryAfter);
                if (!rules.IsRepeatable || attempt >= connection.Options.Attempts || !(failure.IsTransient || failure.ForgetsConsistency)
                    || connection.Time.GetUtcNow().UtcDateTime + pause >= deadline)
                {
                    call.Fail(failure);
                    throw failure;
                }

                VibeLog.Repeated(connection.Log, method.FullName, failure.Reason, pause.TotalMilliseconds);
                await Task.Delay(pause, connection.Time, options.CancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            call.Cancelled();
            throw;
        }
    }

    // With the token at hand; once more with another one when the server refuses it, before anything was done.
    private async Task<TResponse> AuthorizedAsync<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request, MethodRules rules, CallState call)
        where TRequest : class
        where TResponse : class
    {
        var token = await tokens.GetAsync(refused: null, options.CancellationToken).ConfigureAwait(false);
        try
        {
            return await SendAsync(method, host, options, request, rules, token, call).ConfigureAwait(false);
        }
        catch (RpcException exception) when (VibeException.From(exception).WantsOtherToken && token is not null)
        {
            token = await tokens.GetAsync(token.Value, options.CancellationToken).ConfigureAwait(false);
            return await SendAsync(method, host, options, request, rules, token, call).ConfigureAwait(false);
        }
    }

    private async Task<TResponse> SendAsync<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request, MethodRules rules, AccessToken? token, CallState call)
        where TRequest : class
        where TResponse : class
    {
        var headers = await HeadersAsync(method, options.Headers, rules, token).ConfigureAwait(false);
        using var attempt = connection.Invoker.AsyncUnaryCall(method, host, options.WithHeaders(headers), request);
        var response = await attempt.ConfigureAwait(false);
        var answered = await attempt.ResponseHeadersAsync.ConfigureAwait(false);
        if (!rules.Reads && answered.GetValue(ConsistencyHeader) is { Length: > 0 } consistency)
        {
            _consistency = consistency;
        }

        call.Succeed(answered, attempt.GetTrailers());
        return response;
    }

    private async Task<Metadata> HeadersAsync(IMethod method, Metadata? own, MethodRules rules, AccessToken? token)
    {
        var headers = new Metadata();
        foreach (var entry in own ?? [])
        {
            headers.Add(entry);
        }

        if (rules.Reads && _consistency is { Length: > 0 } consistency)
        {
            headers.Add(ConsistencyHeader, consistency);
        }

        if (token?.Key is { } key)
        {
            headers.Add("authorization", $"DPoP {token.Value}");
            headers.Add("dpop", await connection.Provider.ProveCallAsync(key, method.FullName, token.Value).ConfigureAwait(false));
        }
        else if (token is not null)
        {
            headers.Add("authorization", $"Bearer {token.Value}");
        }

        return headers;
    }

    private VibeException Failed(RpcException exception)
    {
        var failure = VibeException.From(exception);
        if (failure.ForgetsConsistency)
        {
            ForgetConsistency();
        }

        return failure;
    }
}
