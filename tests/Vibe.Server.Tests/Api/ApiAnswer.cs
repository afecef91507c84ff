using System.Net;
using System.Text.Json.Nodes;

namespace Vibe.Server.Tests.Api;

/// <summary>An answer over HTTP, read to its end.</summary>
internal sealed record ApiAnswer(HttpStatusCode Status, IReadOnlyList<string> Headers, string Body)
{
    public JsonNode Json => JsonNode.Parse(Body)!;

    public static async Task<ApiAnswer> ReadAsync(HttpResponseMessage response)
    {
        var headers = response.Headers.Concat(response.Content.Headers).Concat(response.TrailingHeaders)
            .SelectMany(static header => header.Value, static (header, value) => $"{header.Key.ToLowerInvariant()}: {value}");
        return new ApiAnswer(response.StatusCode, [.. headers], await response.Content.ReadAsStringAsync());
    }

    /// <summary>The body of an answer with the status 200.</summary>
    public JsonNode Ok()
    {
        Assert.True(Status == HttpStatusCode.OK, $"{Status}: {Body}");
        return Json;
    }

    public bool IsOk => Status == HttpStatusCode.OK;

    /// <summary>How a REST call failed.</summary>
    public WireFailure Failed() => WireFailure.OfRest(Status, Body);

    /// <summary>Asserts a failure with this HTTP status, canonical status and reason.</summary>
    public JsonNode Fails(HttpStatusCode status, string code, string reason)
    {
        Assert.True(Status == status, $"{Status}: {Body}");
        var error = Json["error"]!;
        Assert.Equal((code, reason), ((string?)error["status"], (string?)error["details"]![0]!["reason"]));
        return error;
    }
}
