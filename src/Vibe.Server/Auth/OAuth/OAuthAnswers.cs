using System.Text.Json;
using System.Text.Json.Nodes;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Auth.OAuth;

/// <summary>How the endpoints that programs call answer: JSON, never stored, errors in the words of OAuth.</summary>
internal static class OAuthAnswers
{
    /// <summary>Runs an endpoint.</summary>
    public static async Task RunAsync(HttpContext http, Func<CancellationToken, Task> endpoint)
    {
        Protect(http);
        try
        {
            CheckLimit(http);
            await endpoint(http.RequestAborted);
        }
        catch (OAuthError error)
        {
            AuthMeters.Refused(http, error.Code);
            await WriteErrorAsync(http, error);
        }
        catch (DatabaseException failure) when (Failure.Translate(failure) is not null)
        {
            await WriteErrorAsync(http, new OAuthError("temporarily_unavailable", "The server is busy: try again.", StatusCodes.Status503ServiceUnavailable));
        }
    }

    /// <summary>
    /// Counts a request against the limit of its network, as a call of medium cost: each writes a row or checks a signature for
    /// whoever asks.
    /// </summary>
    /// <exception cref="OAuthError">slow_down.</exception>
    public static void CheckLimit(HttpContext http)
    {
        if (!http.RequestServices.GetRequiredService<Limit>().TryTake(NetworkOf(http), MethodPolicy.MediumCost))
        {
            http.Response.Headers.RetryAfter = "1";
            throw OAuthError.SlowDown("Too many requests from this network: try again later.");
        }
    }

    /// <summary>What every answer with a secret in it says to caches and other pages.</summary>
    public static void Protect(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Pragma = "no-cache";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        http.Response.Headers.XContentTypeOptions = "nosniff";
    }

    /// <summary>Answers with JSON.</summary>
    public static Task WriteAsync(HttpContext http, JsonObject json, int status = StatusCodes.Status200OK)
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(json, JsonSerializerOptions.Web, http.RequestAborted);
    }

    /// <summary>Answers with an error. Who tried to prove something in the header Authorization is told which way.</summary>
    public static Task WriteErrorAsync(HttpContext http, OAuthError error)
    {
        var authorization = http.Request.Headers.Authorization.ToString();
        if (error.Status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden && authorization.Length > 0)
        {
            http.Response.Headers.WWWAuthenticate = error.Code == "invalid_client"
                ? "Basic realm=\"vibe\""
                : $"{(authorization.StartsWith("DPoP", StringComparison.OrdinalIgnoreCase) ? "DPoP" : "Bearer")} error=\"{error.Code}\"";
        }
        else if (error.Status == StatusCodes.Status401Unauthorized && error.Code == "invalid_token")
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
        }

        return WriteAsync(http, new JsonObject { ["error"] = error.Code, ["error_description"] = error.Message }, error.Status);
    }

    /// <summary>The thumbprint of the key that the request proves to hold; null when it proves none.</summary>
    /// <exception cref="OAuthError">invalid_dpop_proof.</exception>
    public static string? ReadProof(HttpContext http, string? accessToken = null) => ReadProof(
        http, http.RequestServices.GetRequiredService<AuthOptions>(), http.RequestServices.GetRequiredService<DpopProofs>(), accessToken);

    /// <inheritdoc cref="ReadProof(HttpContext, string?)"/>
    public static string? ReadProof(HttpContext http, AuthOptions options, DpopProofs proofs, string? accessToken = null)
    {
        var headers = http.Request.Headers["DPoP"];
        if (headers.Count == 0)
        {
            return null;
        }

        // The address that people know the server by, whatever a proxy makes of it.
        var url = options.Issuer + http.Request.Path.ToUriComponent();
        return headers is [{ } proof] && proofs.Verify(proof, http.Request.Method, url, accessToken) is { } key
            ? key
            : throw OAuthError.InvalidProof("The header DPoP is there more than once, or its proof is not good for this request.");
    }

    /// <summary>Where a request comes from, as limits count it.</summary>
    public static string NetworkOf(HttpContext http) => NetworkPrefix.Of(http.Connection.RemoteIpAddress);
}
