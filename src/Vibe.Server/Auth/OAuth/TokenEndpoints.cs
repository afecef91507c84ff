using System.Text.Json.Nodes;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Tokens: issuing (RFC 6749 section 3.2), revoking (RFC 7009), looking into (RFC 7662).</summary>
internal static class TokenEndpoints
{
    /// <summary>Maps them.</summary>
    public static void MapTokenEndpoints(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/oauth/token", static http => OAuthAnswers.RunAsync(http, cancellationToken => IssueAsync(http, cancellationToken)))
            .RequireCors(OAuthCors.PolicyName);
        endpoints.MapPost("/oauth/revoke", static http => OAuthAnswers.RunAsync(http, cancellationToken => RevokeAsync(http, cancellationToken)))
            .RequireCors(OAuthCors.PolicyName);
        endpoints.MapPost("/oauth/introspect", static http => OAuthAnswers.RunAsync(http, cancellationToken => IntrospectAsync(http, cancellationToken)))
            .RequireCors(OAuthCors.NonePolicyName);
    }

    private static async Task IssueAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var (client, parameters) = await ReadAsync(http, cancellationToken);
        var origin = http.Request.Headers.Origin.ToString();
        var context = new TokenContext(OAuthAnswers.ReadProof(http), OAuthAnswers.NetworkOf(http), origin.Length > 0 ? origin : null);
        var tokens = await http.RequestServices.GetRequiredService<TokenGrants>().IssueAsync(client, parameters, context, cancellationToken);

        var answer = new JsonObject
        {
            ["access_token"] = tokens.AccessToken,
            ["token_type"] = tokens.TokenType,
            ["expires_in"] = (long)tokens.Life.TotalSeconds,
            ["scope"] = tokens.Scope,
        };
        if (tokens.RefreshToken is not null)
        {
            answer["refresh_token"] = tokens.RefreshToken;
        }

        if (tokens.IdToken is not null)
        {
            answer["id_token"] = tokens.IdToken;
        }

        await OAuthAnswers.WriteAsync(http, answer);
    }

    // Whatever the token is, whoever's: the answer is the same (RFC 7009 section 2.2).
    private static async Task RevokeAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var (client, parameters) = await ReadAsync(http, cancellationToken);
        await http.RequestServices.GetRequiredService<TokenLookup>().RevokeAsync(
            client, parameters.Require("token"), OAuthAnswers.NetworkOf(http), cancellationToken);
        http.Response.StatusCode = StatusCodes.Status200OK;
    }

    private static async Task IntrospectAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var (client, parameters) = await ReadAsync(http, cancellationToken);
        if (!client.IsConfidential)
        {
            throw OAuthError.InvalidClient();
        }

        await OAuthAnswers.WriteAsync(
            http, await http.RequestServices.GetRequiredService<TokenLookup>().DescribeAsync(client, parameters.Require("token"), cancellationToken));
    }

    private static async Task<(Client Client, Parameters Parameters)> ReadAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var parameters = await Parameters.OfFormAsync(http.Request, cancellationToken);
        var authorization = http.Request.Headers.Authorization is [{ } header] ? header : null;
        var client = await http.RequestServices.GetRequiredService<ClientAuthentication>().AuthenticateAsync(authorization, parameters, cancellationToken);
        return (client, parameters);
    }
}
