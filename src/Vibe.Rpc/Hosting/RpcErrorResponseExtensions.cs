using System.Diagnostics;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Rest;
using Vibe.Rpc.Telemetry;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Hosting;

/// <summary>Lets an application's own HTTP endpoints fail as the REST form of its methods does.</summary>
public static class RpcErrorResponseExtensions
{
    /// <summary>
    /// Answers with the error: the HTTP status of its code, <c>google.rpc.Status</c> as JSON, and the headers that belong to it
    /// (<c>Retry-After</c>, <c>WWW-Authenticate</c>). Needs the services of <c>AddGrpc</c>, and a
    /// response that has not started.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="error">What went wrong.</param>
    public static async Task WriteRpcErrorAsync(this HttpContext http, RpcException error)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(error);
        var status = error.StatusCode.ToHttpStatus();
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        RestErrorHeaders.Add(http.Response, status, error.Trailers);
        using var buffer = new PooledBuffer();
        http.RequestServices.GetRequiredService<RestServer>().Errors.Write(status, error.Status, error.Trailers, buffer);
        http.Response.ContentLength = buffer.Length;
        await http.Response.BodyWriter.WriteAsync(buffer.WrittenMemory);
    }

    /// <summary>
    /// Answers INTERNAL for a failure that nobody foresaw, with a request id and without a word of what happened, and logs it as a
    /// handler's.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="exception">What was not foreseen.</param>
    public static Task WriteUnexpectedErrorAsync(this HttpContext http, Exception exception)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(exception);
        RpcLog.HandlerFailed(http.RequestServices.GetRequiredService<ILogger<RpcServer>>(), http.Request.Path, exception);
        return http.WriteRpcErrorAsync(WireErrors.Unexpected(detail: null, Activity.Current?.TraceId.ToString() ?? http.TraceIdentifier));
    }
}
