using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.OpenApi;

/// <summary>Serves the OpenAPI document and the page that shows it.</summary>
public static class OpenApiEndpoints
{
    // The document is data of our own, never part of an HTML page: the strict encoder would only make it hard to read.
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Serves the OpenAPI 3.1 document. It is made on the first request, from the <see cref="ProtoSchema"/> among the services, or, when
    /// there is none, from the generated descriptors, which have no comments.
    /// </summary>
    /// <param name="endpoints">Where to.</param>
    /// <param name="pattern">The path. Default: <c>/openapi.json</c>.</param>
    /// <param name="configure">
    /// Changes the options. Unless it sets <see cref="OpenApiOptions.IncludeService"/>, the document has the services mapped by
    /// <c>MapGrpcService</c>, without those of gRPC itself (<c>grpc.…</c>).
    /// </param>
    public static IEndpointConventionBuilder MapOpenApi(
        this IEndpointRouteBuilder endpoints, string pattern = "/openapi.json", Action<OpenApiOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var document = new Lazy<byte[]>(() => CreateDocument(services, configure));
        return MapGet(endpoints, pattern, "application/json", () => document.Value);
    }

    /// <summary>Serves the reference page: it shows services, methods and schemas, and sends calls.</summary>
    /// <param name="endpoints">Where to.</param>
    /// <param name="pattern">The path. Default: <c>/docs</c>.</param>
    /// <param name="document">The path of the OpenAPI document on this server. Default: <c>/openapi.json</c>.</param>
    public static IEndpointConventionBuilder MapApiReference(
        this IEndpointRouteBuilder endpoints, string pattern = "/docs", string document = "/openapi.json")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var page = ApiReferencePage.Create(document);
        return MapGet(endpoints, pattern, "text/html; charset=utf-8", () => page.Html, headers =>
        {
            headers.ContentSecurityPolicy = page.ContentSecurityPolicy;
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
        });
    }

    private static IEndpointConventionBuilder MapGet(
        IEndpointRouteBuilder endpoints, string pattern, string contentType, Func<byte[]> content, Action<IHeaderDictionary>? addHeaders = null)
    {
        EntityTagHeaderValue? tag = null;
        return endpoints.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], async http =>
        {
            var bytes = content();
            tag ??= new($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12))}\"");
            var headers = http.Response.Headers;
            headers.ETag = tag.ToString();
            headers.CacheControl = "no-cache";
            headers.XContentTypeOptions = "nosniff";
            addHeaders?.Invoke(headers);
            if (http.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Compare(tag, useStrongComparison: false)))
            {
                http.Response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }

            http.Response.ContentType = contentType;
            http.Response.ContentLength = bytes.Length;
            if (HttpMethods.IsGet(http.Request.Method))
            {
                await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
            }
        });
    }

    private static byte[] CreateDocument(IServiceProvider services, Action<OpenApiOptions>? configure)
    {
        var methods = services.GetRequiredService<RpcMethodRegistry>().Methods;
        var mapped = methods.Select(method => method.ServiceName).ToHashSet();
        var options = new OpenApiOptions
        {
            IncludeService = service => mapped.Contains(service.FullName) && !service.FullName.StartsWith("grpc.", StringComparison.Ordinal),
        };
        configure?.Invoke(options);
        var schema = services.GetService<ProtoSchema>() ?? ProtoSchema.FromFiles(methods.Select(method => method.Descriptor.File));
        return JsonSerializer.SerializeToUtf8Bytes(OpenApiDocument.Create(schema, options), Json);
    }
}
