using System.Security.Cryptography;
using System.Text;

namespace Vibe.Server.Hosting.Metrics;

/// <summary>
/// <c>GET /metrics</c>, for whoever shows the token of <c>VIBE_METRICS_TOKEN</c>. Not open to loopback: behind a proxy on the same
/// machine everybody comes from there.
/// </summary>
internal static class MetricsEndpoint
{
    /// <summary>The setting with the token.</summary>
    public const string TokenVariable = "VIBE_METRICS_TOKEN";

    private const string Path = "/metrics";
    private const string Scheme = "Bearer ";
    private const int ShortestToken = 16;

    /// <summary>The token; null when nobody may ask.</summary>
    /// <exception cref="Refusal">It is too short to be a secret.</exception>
    public static string? ReadToken() => Environment.GetEnvironmentVariable(TokenVariable) switch
    {
        null or "" => null,
        { Length: < ShortestToken } => throw new Refusal($"{TokenVariable} has fewer than {ShortestToken} characters: make one with `openssl rand -hex 32`."),
        var token => token,
    };

    /// <summary>Maps it. Without a token it says how to get one, and nothing else.</summary>
    /// <param name="endpoints">Where.</param>
    /// <param name="token">What to show.</param>
    /// <param name="scrape">Makes the answer.</param>
    public static void MapMetrics(this IEndpointRouteBuilder endpoints, string? token, Func<string>? scrape)
    {
        if (token is null || scrape is null)
        {
            endpoints.MapGet(Path, static () => Results.Text($"There are no metrics here until {TokenVariable} is set.\n", statusCode: StatusCodes.Status404NotFound));
            return;
        }

        var expected = SHA256.HashData(Encoding.UTF8.GetBytes(token));
        endpoints.MapGet(Path, (HttpContext http) =>
        {
            http.Response.Headers.CacheControl = "no-store";
            if (IsShown(http.Request, expected))
            {
                return Results.Text(scrape(), PrometheusText.ContentType);
            }

            http.Response.Headers.WWWAuthenticate = "Bearer";
            return Results.Text($"Metrics need the token of {TokenVariable}.\n", statusCode: StatusCodes.Status401Unauthorized);
        });
    }

    // Hashes have one length, and comparing them takes one time.
    private static bool IsShown(HttpRequest request, byte[] expected) =>
        request.Headers.Authorization is [{ } header]
        && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim())), expected);
}
