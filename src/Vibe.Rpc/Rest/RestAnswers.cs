using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Rest;

/// <summary>What REST endpoints do: run the call, or say why there is none.</summary>
internal static class RestAnswers
{
    public static async Task CallAsync(HttpContext http, RestRoute route)
    {
        if (HttpMethods.IsOptions(http.Request.Method))
        {
            // A preflight that no CORS middleware took: an answer without CORS headers refuses it.
            Allow(http, [route.Binding.HttpMethod]);
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await RestCall.RunAsync(http, route);
    }

    public static Task NotFoundAsync(HttpContext http, RestServer server) => FailAsync(
        http, server, StatusCodes.Status404NotFound, RestErrors.NoSuchPath());

    public static Endpoint UnknownVerb(RestServer server) => new(
        http => FailAsync(http, server, StatusCodes.Status404NotFound, RestErrors.NoSuchVerb()),
        metadata: null, "REST - unknown verb");

    public static Endpoint MethodNotAllowed(RestServer server, IReadOnlyCollection<string> allowed) => new(
        http =>
        {
            Allow(http, allowed);
            if (!HttpMethods.IsOptions(http.Request.Method))
            {
                return FailAsync(http, server, StatusCodes.Status405MethodNotAllowed, RestErrors.MethodNotAllowed(allowed));
            }

            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        },
        metadata: null, "REST - method not allowed");

    private static void Allow(HttpContext http, IReadOnlyCollection<string> methods) =>
        http.Response.Headers.Allow = string.Join(", ", methods);

    private static async Task FailAsync(HttpContext http, RestServer server, int httpStatus, RpcException error)
    {
        using var buffer = new PooledBuffer();
        server.Errors.Write(httpStatus, error.Status, error.Trailers, buffer);
        http.Response.StatusCode = httpStatus;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = buffer.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await http.Response.BodyWriter.WriteAsync(buffer.WrittenMemory);
        }
    }
}
