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

    private static RpcCall Call(ServerCallContext context) =>
        context as RpcCall ?? throw new InvalidOperationException("The call does not run in this server.");
}
