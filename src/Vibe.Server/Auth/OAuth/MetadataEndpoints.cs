using System.Text.Json.Nodes;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.OAuth;

/// <summary>What the provider says of itself (OpenID Connect Discovery 1.0, RFC 8414) and the keys it signs with (RFC 7517): for everybody.</summary>
internal static class MetadataEndpoints
{
    // Shorter than the hour that a key is published before it signs.
    private const string Cached = "public, max-age=300";

    /// <summary>Maps them.</summary>
    public static void MapMetadataEndpoints(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/.well-known/openid-configuration", WriteMetadataAsync);
        endpoints.MapGet("/.well-known/oauth-authorization-server", WriteMetadataAsync);
        endpoints.MapGet("/oauth/jwks", static async http =>
        {
            // Who has fetched the keys does not come again for a while: the one for RS256 is among them from the first time.
            await http.RequestServices.GetRequiredService<KeyRotation>().GetActiveAsync("RS256", http.RequestAborted);
            http.Response.Headers.CacheControl = Cached;
            var keys = http.RequestServices.GetRequiredService<SigningKeys>().All.OrderBy(static key => key.Id, StringComparer.Ordinal);
            await http.Response.WriteAsJsonAsync(
                new JsonObject { ["keys"] = new JsonArray([.. keys.Select(static key => (JsonNode)key.Public.ToJwk())]) }, http.RequestAborted);
        });
    }

    private static Task WriteMetadataAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = Cached;
        return http.Response.WriteAsJsonAsync(Describe(http.RequestServices.GetRequiredService<AuthOptions>().Issuer), http.RequestAborted);
    }

    private static JsonObject Describe(string issuer) => new()
    {
        ["issuer"] = issuer,
        ["authorization_endpoint"] = $"{issuer}/oauth/authorize",
        ["token_endpoint"] = $"{issuer}/oauth/token",
        ["userinfo_endpoint"] = $"{issuer}/oauth/userinfo",
        ["jwks_uri"] = $"{issuer}/oauth/jwks",
        ["pushed_authorization_request_endpoint"] = $"{issuer}/oauth/par",
        ["revocation_endpoint"] = $"{issuer}/oauth/revoke",
        ["introspection_endpoint"] = $"{issuer}/oauth/introspect",
        ["end_session_endpoint"] = $"{issuer}/oauth/logout",
        ["device_authorization_endpoint"] = $"{issuer}/oauth/device_authorization",
        ["scopes_supported"] = List(ScopeNames.Standard),
        ["response_types_supported"] = List(["code"]),
        ["response_modes_supported"] = List(["query", "form_post"]),
        ["grant_types_supported"] = List(TokenGrants.Types),
        ["subject_types_supported"] = List(["public"]),
        ["id_token_signing_alg_values_supported"] = List(["ES256", "RS256"]),
        ["token_endpoint_auth_methods_supported"] = List(ClientAuthentication.Methods),
        ["token_endpoint_auth_signing_alg_values_supported"] = List(ClientAssertions.Algorithms),
        ["revocation_endpoint_auth_methods_supported"] = List(ClientAuthentication.Methods),
        ["revocation_endpoint_auth_signing_alg_values_supported"] = List(ClientAssertions.Algorithms),
        ["introspection_endpoint_auth_methods_supported"] = List(ClientAuthentication.Methods.Where(static method => method != "none")),
        ["introspection_endpoint_auth_signing_alg_values_supported"] = List(ClientAssertions.Algorithms),
        ["dpop_signing_alg_values_supported"] = List(DpopProofs.Algorithms),
        ["code_challenge_methods_supported"] = List(["S256"]),
        ["prompt_values_supported"] = List(["none", "login", "consent", "select_account"]),
        ["claims_supported"] = List(
            ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "name", "preferred_username", "locale", "updated_at"]),
        ["acr_values_supported"] = List([TokenIssuer.PhishingResistant, TokenIssuer.Plain]),
        ["claims_parameter_supported"] = true,
        ["request_parameter_supported"] = false,
        ["request_uri_parameter_supported"] = false,
        ["authorization_response_iss_parameter_supported"] = true,
        ["require_pushed_authorization_requests"] = false,
    };

    private static JsonArray List(IEnumerable<string> values) => [.. values.Select(static value => (JsonNode)value)];
}
