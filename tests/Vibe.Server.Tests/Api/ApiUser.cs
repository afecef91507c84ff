using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;
using Vibe.Documents.V1;

namespace Vibe.Server.Tests.Api;

/// <summary>Someone who calls the server, as <c>curl</c> does it and through the generated client.</summary>
internal sealed class ApiUser(ApiServer server, string did, string? token)
{
    public string Did => did;

    public string? Token => token;

    public DocumentsService.DocumentsServiceClient Grpc { get; } = new(server.Channel);

    /// <summary>The metadata of a gRPC call.</summary>
    public Metadata Metadata => token is null ? [] : new Metadata { { "authorization", $"Bearer {token}" } };

    public Task<ApiAnswer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<ApiAnswer> PostAsync(string path, string json) => SendAsync(HttpMethod.Post, path, json);

    public Task<ApiAnswer> PatchAsync(string path, string json) => SendAsync(HttpMethod.Patch, path, json);

    public Task<ApiAnswer> PutAsync(string path, string json) => SendAsync(HttpMethod.Put, path, json);

    public Task<ApiAnswer> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path);

    /// <summary>Creates a document and returns it.</summary>
    public async Task<JsonNode> CreateAsync(string json) => (await PostAsync("/v1/documents", json)).Ok();

    public Task<ApiAnswer> SendAsync(HttpMethod method, string path, string? json = null) =>
        SendAsync(method, path, json is null ? null : Encoding.UTF8.GetBytes(json));

    public async Task<ApiAnswer> SendAsync(HttpMethod method, string path, byte[]? body, CancellationToken cancellationToken = default)
    {
        using var request = Request(method, path, body, "application/json");
        using var response = await server.Http.SendAsync(request, cancellationToken);
        return await ApiAnswer.ReadAsync(response);
    }

    /// <summary>A request with the caller's token; the path goes out as it is typed, quotes and all.</summary>
    public HttpRequestMessage Request(HttpMethod method, string path, byte[]? body = null, string? contentType = null)
    {
        var uri = new Uri(server.Url.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(method, uri);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType!);
        }

        return request;
    }
}
