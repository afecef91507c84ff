using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;

// The official package's namespace: code written for it compiles unchanged.
namespace Grpc.Core;

/// <summary>What a handler can learn about the request that carries its call.</summary>
public static class ServerCallContextExtensions
{
    /// <summary>The HTTP request.</summary>
    /// <param name="context">The call.</param>
    /// <exception cref="InvalidOperationException">The call does not run in this server, for example in a unit test.</exception>
    public static HttpContext GetHttpContext(this ServerCallContext context) => Call(context).HttpContext;

    /// <summary>The method being called, with its descriptor and options.</summary>
    /// <param name="context">The call.</param>
    /// <exception cref="InvalidOperationException">The call does not run in this server, for example in a unit test.</exception>
    public static RpcMethod GetRpcMethod(this ServerCallContext context) => Call(context).RpcMethod;

    /// <summary>
    /// Fires when the server begins to shut down: a long stream then says goodbye and ends, before
    /// <see cref="ServerCallContext.CancellationToken"/> ends it.
    /// </summary>
    /// <param name="context">The call.</param>
    /// <exception cref="InvalidOperationException">The call does not run in this server, for example in a unit test.</exception>
    public static CancellationToken GetDrainToken(this ServerCallContext context) => Call(context).DrainToken;

    /// <summary>
    /// Like <see cref="ServerCallContext.WriteResponseHeadersAsync"/>, but the headers leave together with the first message instead
    /// of ahead of it: a unary answer stays one write.
    /// </summary>
    /// <param name="context">The call.</param>
    /// <param name="responseHeaders">The headers.</param>
    /// <exception cref="InvalidOperationException">Headers were written before.</exception>
    public static Task WriteResponseHeadersWithMessageAsync(this ServerCallContext context, Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context is not RpcCall call)
        {
            return context.WriteResponseHeadersAsync(responseHeaders);
        }

        call.PrepareHeaders(responseHeaders);
        return Task.CompletedTask;
    }

    private static RpcCall Call(ServerCallContext context) =>
        context as RpcCall ?? throw new InvalidOperationException("The call does not run in this server.");
}
