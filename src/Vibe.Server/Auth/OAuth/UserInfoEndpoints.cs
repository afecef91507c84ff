using System.Text.Json.Nodes;
using Grpc.Core;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Who the person is, for an app they let know (OpenID Connect Core section 5.3).</summary>
internal static class UserInfoEndpoints
{
    /// <summary>Maps it.</summary>
    public static void MapUserInfoEndpoints(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapMethods(
            "/oauth/userinfo", [HttpMethods.Get, HttpMethods.Post],
            static http => OAuthAnswers.RunAsync(http, cancellationToken => AnswerAsync(http, cancellationToken))).RequireCors(OAuthCors.PolicyName);

    private static async Task AnswerAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var services = http.RequestServices;
        var token = await ReadTokenAsync(http, cancellationToken);
        if (token.Grant is null || !Guid.TryParse(token.Grant, out var family)
            || !await services.GetRequiredService<TokenFamilies>().IsAliveAsync(family, cancellationToken))
        {
            throw OAuthError.InvalidToken();
        }

        var scopes = token.Scope.Split(' ');
        if (!scopes.Contains(ScopeNames.OpenId))
        {
            throw new OAuthError("insufficient_scope", "The access token lacks the scope openid.", StatusCodes.Status403Forbidden);
        }

        var claims = new JsonObject { ["sub"] = token.Subject };
        if (scopes.Contains(ScopeNames.Profile)
            && await services.GetRequiredService<TokenIssuer>().FindProfileAsync(token.Subject, cancellationToken) is { } profile)
        {
            foreach (var (name, value) in profile.ToClaims())
            {
                claims[name] = value?.DeepClone();
            }
        }

        await OAuthAnswers.WriteAsync(http, claims);
    }

    private static async Task<AccessToken> ReadTokenAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var (scheme, text) = ReadHeader(http);
        if (HttpMethods.IsPost(http.Request.Method) && http.Request.HasFormContentType
            && (await Parameters.OfFormAsync(http.Request, cancellationToken))["access_token"] is { } posted)
        {
            // RFC 6750 section 2: one way at a time.
            (scheme, text) = text is null ? ("Bearer", posted) : throw OAuthError.InvalidRequest("The access token is sent in more than one way.");
        }

        try
        {
            var token = http.RequestServices.GetRequiredService<TokenCodec>().Verify(text ?? throw OAuthError.InvalidToken());
            var isBound = token.KeyThumbprint is not null;
            return isBound == (scheme == "DPoP") && (!isBound || OAuthAnswers.ReadProof(http, text) == token.KeyThumbprint)
                ? token
                : throw OAuthError.InvalidToken();
        }
        catch (RpcException)
        {
            throw OAuthError.InvalidToken();
        }
    }

    private static (string? Scheme, string? Token) ReadHeader(HttpContext http)
    {
        if (http.Request.Headers.Authorization is not [{ } header])
        {
            return (null, null);
        }

        foreach (var scheme in (string[])["Bearer", "DPoP"])
        {
            if (header.StartsWith($"{scheme} ", StringComparison.OrdinalIgnoreCase))
            {
                return (scheme, header[(scheme.Length + 1)..].Trim());
            }
        }

        return (null, null);
    }
}
