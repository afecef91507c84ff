using System.Text.Json.Nodes;
using Microsoft.Net.Http.Headers;

namespace Vibe.Server.Auth.Identity;

/// <summary>What the rest of the world reads of our DIDs: documents, logs, status lists.</summary>
internal static class IdentityEndpoints
{
    // As long as a status list may be remembered.
    private const string Cached = "public, max-age=300";

    /// <summary>Maps them.</summary>
    public static void MapIdentityEndpoints(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/.well-known/did.json", HostDocument);
        endpoints.MapGet("/{kind:regex(^(users|apps)$)}/{id:length(32)}/did.json", DocumentAsync);
        endpoints.MapGet("/{kind:regex(^(users|apps)$)}/{id:length(32)}/did.jsonl", LogAsync);
        endpoints.MapGet("/status/{list:guid}", StatusAsync);
    }

    private static async Task<IResult> DocumentAsync(string kind, string id, DidDocuments documents, HttpContext context, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(id, "N", out var guid) || await documents.FindAsync(kind, guid, cancellationToken) is not { } document)
        {
            return Results.NotFound();
        }

        context.Response.Headers[HeaderNames.CacheControl] = Cached;
        return Results.Text(document, "application/did+json");
    }

    private static async Task<IResult> LogAsync(
        string kind, string id, DidDocuments documents, AuthOptions options, HttpContext context, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(id, "N", out var guid))
        {
            return Results.NotFound();
        }

        // Brings the log up to date; of a deleted account it is all that is left.
        await documents.FindAsync(kind, guid, cancellationToken);
        var log = await documents.LogOfAsync(options.DidOf(kind, guid), cancellationToken);
        context.Response.Headers[HeaderNames.CacheControl] = Cached;
        return log.Count == 0 ? Results.NotFound() : Results.Text(string.Concat(log.Select(static entry => $"{entry}\n")), "application/jsonl");
    }

    private static async Task<IResult> StatusAsync(Guid list, StatusLists lists, HttpContext context, CancellationToken cancellationToken)
    {
        if (await lists.FindAsync(list, cancellationToken) is not { } token)
        {
            return Results.NotFound();
        }

        context.Response.Headers[HeaderNames.CacheControl] = Cached;
        return Results.Text(token, "application/vc+jwt");
    }

    private static IResult HostDocument(AuthOptions options, HttpContext context)
    {
        var did = options.HostDid;
        context.Response.Headers[HeaderNames.CacheControl] = Cached;
        return Results.Text(
            new JsonObject
            {
                ["@context"] = new JsonArray("https://www.w3.org/ns/did/v1"),
                ["id"] = did,
                ["service"] = new JsonArray(
                    new JsonObject { ["id"] = $"{did}#data", ["type"] = "VibeDataStore", ["serviceEndpoint"] = options.Issuer },
                    new JsonObject { ["id"] = $"{did}#issuer", ["type"] = "OpenIDProvider", ["serviceEndpoint"] = options.Issuer }),
            }.ToJsonString(),
            "application/did+json");
    }
}
