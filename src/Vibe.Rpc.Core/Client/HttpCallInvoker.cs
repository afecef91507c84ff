using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>Starts calls over HTTP/2.</summary>
internal sealed class HttpCallInvoker(GrpcChannel channel) : CallInvoker
{
    private static readonly Func<object, Task<Metadata>> Headers = static state => ((CallLifetime)state).HeadersAsync;
    private static readonly Func<object, Status> Status = static state => ((CallLifetime)state).GetStatus();
    private static readonly Func<object, Metadata> Trailers = static state => ((CallLifetime)state).GetTrailers();
    private static readonly Action<object> Dispose = static state => ((CallLifetime)state).Dispose();

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        AsyncUnaryCall(method, host, options, request).GetAwaiter().GetResult();

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (call, lifetime) = Begin(method, host, options);
        var response = SingleResponseAsync(method, call, lifetime, request, options);
        return new(response, Headers, Status, Trailers, Dispose, lifetime);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (call, lifetime) = Begin(method, host, options);
        var opened = OpenStreamAsync(method, call, lifetime, request, options);
        var responses = new ResponseStreamReader<TResponse>(lifetime, opened, method.ResponseMarshaller);
        return new(responses, Headers, Status, Trailers, Dispose, lifetime);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var (call, lifetime) = Begin(method, host, options);
        var (content, requests) = OpenRequests(method, call, lifetime, options);
        var attempts = new CallAttempts(channel, call, lifetime, content) { ExpectsMessage = true };
        var response = ReadSingleAsync(attempts.OpenAsync(), lifetime, method.ResponseMarshaller);
        return new(requests, response, Headers, Status, Trailers, Dispose, lifetime);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var (call, lifetime) = Begin(method, host, options);
        var (content, requests) = OpenRequests(method, call, lifetime, options);
        var attempts = new CallAttempts(channel, call, lifetime, content);
        var responses = new ResponseStreamReader<TResponse>(lifetime, attempts.OpenAsync(), method.ResponseMarshaller);
        return new(requests, responses, Headers, Status, Trailers, Dispose, lifetime);
    }

    private (CallDescription Call, CallLifetime Lifetime) Begin(IMethod method, string? host, in CallOptions options)
    {
        ArgumentNullException.ThrowIfNull(method);
        channel.ThrowIfDisposed();
        var call = new CallDescription(channel, method, host, options);
        return (call, new CallLifetime(channel, call.Route, options));
    }

    private async Task<TResponse> SingleResponseAsync<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallDescription call, CallLifetime lifetime, TRequest request, CallOptions options)
        where TRequest : class
        where TResponse : class
    {
        if (Serialize(method, call, lifetime, request, options) is not { } content)
        {
            throw lifetime.CreateException();
        }

        try
        {
            var attempts = new CallAttempts(channel, call, lifetime, content) { CanResend = true, ExpectsMessage = true };
            return await ReadSingleAsync(attempts.OpenAsync(), lifetime, method.ResponseMarshaller).ConfigureAwait(false);
        }
        finally
        {
            content.Release();
        }
    }

    private async Task<ResponseReader?> OpenStreamAsync<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallDescription call, CallLifetime lifetime, TRequest request, CallOptions options)
        where TRequest : class
    {
        if (Serialize(method, call, lifetime, request, options) is not { } content)
        {
            return null;
        }

        try
        {
            return await new CallAttempts(channel, call, lifetime, content) { CanResend = true }.OpenAsync().ConfigureAwait(false);
        }
        finally
        {
            content.Release();
        }
    }

    private static async Task<TResponse> ReadSingleAsync<TResponse>(
        Task<ResponseReader?> opened, CallLifetime lifetime, Marshaller<TResponse> marshaller)
        where TResponse : class
    {
        TResponse? message = null;
        if (await opened.ConfigureAwait(false) is { } reader && lifetime.TryBeginRead())
        {
            try
            {
                (var found, message) = await reader.ReadAsync(marshaller, lifetime.Ended).ConfigureAwait(false);
                var extra = found && (await reader.ReadAsync(marshaller, lifetime.Ended).ConfigureAwait(false)).Found;
                EndSingle(lifetime, reader, found, extra);
            }
            catch (Exception exception)
            {
                lifetime.Fail(exception);
            }
            finally
            {
                lifetime.EndRead();
            }
        }

        lifetime.ThrowIfFailed();
        return message!;
    }

    private static void EndSingle(CallLifetime lifetime, ResponseReader reader, bool found, bool extra)
    {
        if (extra)
        {
            lifetime.End(new(StatusCode.Unimplemented, "The server answered with more than one message."), Metadata.Empty);
            return;
        }

        var (status, trailers) = reader.ReadEnd();
        lifetime.End(status.StatusCode == StatusCode.OK && !found ? CallAttempts.MissingMessage : status, trailers);
    }

    /// <summary>The request as HTTP content; null when it cannot be sent, and the call has ended then.</summary>
    private MessageContent? Serialize<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallDescription call, CallLifetime lifetime, TRequest request, in CallOptions options)
    {
        var buffer = new PooledBuffer();
        try
        {
            NewFramer(call).Append(buffer, method.RequestMarshaller, request, options.WriteOptions?.Flags ?? WriteFlags.None);
            return new MessageContent(buffer);
        }
        catch (Exception exception)
        {
            buffer.Dispose();
            lifetime.Fail(exception);
            return null;
        }
    }

    private (StreamContent Content, RequestStreamWriter<TRequest> Writer) OpenRequests<TRequest, TResponse>(
        Method<TRequest, TResponse> method, CallDescription call, CallLifetime lifetime, in CallOptions options)
        where TRequest : class
    {
        var content = new StreamContent(lifetime.Ended);
        var writer = new RequestStreamWriter<TRequest>(lifetime, content, method.RequestMarshaller, NewFramer(call))
        {
            WriteOptions = options.WriteOptions,
        };
        return (content, writer);
    }

    private RequestFramer NewFramer(CallDescription call) => new(channel.Options.MaxSendMessageSize, call.Compress);
}
