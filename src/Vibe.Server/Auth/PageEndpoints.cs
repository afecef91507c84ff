using System.Net.Mime;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Grpc.Core;
using Microsoft.Net.Http.Headers;
using Vibe.Postgres.Sessions;
using Vibe.Rpc;
using Vibe.Rpc.Hosting;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Auth;

/// <summary>
/// The JSON endpoints of the hosted pages. They act on cookies, so they answer their own origin only; they fail as the REST form
/// of any method does.
/// </summary>
internal static class PageEndpoints
{
    private const int MaxBodyBytes = 64 * 1024;

    /// <summary>How their JSON is written and read: camelCase, absent instead of null, nothing unknown, nothing twice.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.Strict,
        MaxDepth = 16,
    };

    /// <summary>An endpoint that takes a JSON object, at most 64 KiB, and answers with one.</summary>
    public static void MapPagePost<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints, string path, Func<HttpContext, TRequest, CancellationToken, Task<TResponse>> handler)
        where TRequest : class =>
        endpoints.MapPost(path, http => RunAsync(http, async cancellationToken =>
        {
            CheckOrigin(http, isRequired: true);
            var request = await ReadAsync<TRequest>(http, cancellationToken);
            return await handler(http, request, cancellationToken);
        }));

    /// <summary>An endpoint that changes nothing and answers with a JSON object.</summary>
    public static void MapPageGet<TResponse>(
        this IEndpointRouteBuilder endpoints, string path, Func<HttpContext, CancellationToken, Task<TResponse>> handler) =>
        endpoints.MapGet(path, http => RunAsync(http, async cancellationToken =>
        {
            CheckOrigin(http, isRequired: false);
            return await handler(http, cancellationToken);
        }));

    private static async Task RunAsync<TResponse>(HttpContext http, Func<CancellationToken, Task<TResponse>> handler)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            var response = await handler(http.RequestAborted);
            await http.Response.WriteAsJsonAsync(response, Json, MediaTypeNames.Application.Json, http.RequestAborted);
        }
        catch (RpcException failure)
        {
            AuthMeters.Refused(http, failure.GetErrorInfo()?.Reason ?? "");
            await http.WriteRpcErrorAsync(failure);
        }
        catch (DatabaseException failure) when (Failure.Translate(failure) is { } translated)
        {
            await http.WriteRpcErrorAsync(translated);
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or BadHttpRequestException) && !http.Response.HasStarted)
        {
            await http.WriteUnexpectedErrorAsync(failure);
        }
    }

    // Browsers send Origin with every POST, and Sec-Fetch-Site with every request to a trustworthy origin: neither can be forged by a page.
    private static void CheckOrigin(HttpContext http, bool isRequired)
    {
        var (origin, site) = (http.Request.Headers.Origin.ToString(), http.Request.Headers["Sec-Fetch-Site"].ToString());
        var own = http.RequestServices.GetRequiredService<AuthOptions>().Origin;
        if ((origin != own && (isRequired || origin.Length > 0)) || site is not ("" or "same-origin" or "none"))
        {
            throw AuthErrors.OriginNotAllowed();
        }
    }

    private static async Task<TRequest> ReadAsync<TRequest>(HttpContext http, CancellationToken cancellationToken)
        where TRequest : class
    {
        // A form of another site cannot send this type, and a script of another site cannot without being asked about it first.
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) || !type.MediaType.Equals(MediaTypeNames.Application.Json, StringComparison.OrdinalIgnoreCase))
        {
            throw VibeError.InvalidField("body", "must be sent as Content-Type: application/json", "page.contentType");
        }

        try
        {
            var body = await ReadBodyAsync(http, cancellationToken);

            // What stays JSON until somebody looks into it is not checked by the reader.
            return Utf8.IsValid(body.Span) ? JsonSerializer.Deserialize<TRequest>(body.Span, Json) ?? throw VibeError.InvalidField("body", "must be a JSON object", "page.json")
                : throw VibeError.InvalidField("body", "is not UTF-8", "page.json");
        }
        catch (JsonException)
        {
            // The exception's text would quote the body, and what is in there may be a password.
            throw VibeError.InvalidField("body", "is not the JSON object that belongs to this path", "page.json");
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        var buffer = new byte[4096];
        int read;
        while ((read = await http.Request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + read > MaxBodyBytes)
            {
                throw VibeError.InvalidField("body", $"has at most {MaxBodyBytes} bytes", "page.size");
            }

            body.Write(buffer, 0, read);
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }
}
