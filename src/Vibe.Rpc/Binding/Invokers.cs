using Google.Protobuf;
using Grpc.Core;
using Vibe.Rpc.Calls;

namespace Vibe.Rpc.Binding;

// One invoker per kind of call: what is read before the handler runs, and what is written after it.

internal sealed class UnaryInvoker<TRequest, TResponse>(UnaryServerMethod<TRequest, TResponse> handler)
    where TRequest : class
    where TResponse : class
{
    public async Task InvokeAsync(RpcCall call)
    {
        var request = (TRequest)await call.ReceiveSingleAsync();
        await call.SendSingleAsync((IMessage?)await handler(request, call));
    }
}

internal sealed class ClientStreamingInvoker<TRequest, TResponse>(ClientStreamingServerMethod<TRequest, TResponse> handler)
    where TRequest : class
    where TResponse : class
{
    public async Task InvokeAsync(RpcCall call)
    {
        var requests = new RequestStream<TRequest>(call);
        TResponse response;
        try
        {
            response = await handler(requests, call);
        }
        finally
        {
            await requests.CloseAsync();
        }

        await call.SendSingleAsync((IMessage?)response);
    }
}

internal sealed class ServerStreamingInvoker<TRequest, TResponse>(ServerStreamingServerMethod<TRequest, TResponse> handler)
    where TRequest : class
    where TResponse : class
{
    public async Task InvokeAsync(RpcCall call)
    {
        var request = (TRequest)await call.ReceiveSingleAsync();
        var responses = new ResponseStream<TResponse>(call);
        try
        {
            await handler(request, responses, call);
        }
        finally
        {
            await responses.CloseAsync();
        }
    }
}

internal sealed class DuplexInvoker<TRequest, TResponse>(DuplexStreamingServerMethod<TRequest, TResponse> handler)
    where TRequest : class
    where TResponse : class
{
    public async Task InvokeAsync(RpcCall call)
    {
        var requests = new RequestStream<TRequest>(call);
        var responses = new ResponseStream<TResponse>(call);
        try
        {
            await handler(requests, responses, call);
        }
        finally
        {
            await responses.CloseAsync();
            await requests.CloseAsync();
        }
    }
}
