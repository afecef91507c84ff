using System.Text.Json.Nodes;
using Grpc.Core;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Finds what a token is that an app holds in its hand: its own tokens only.</summary>
internal sealed class TokenLookup(TokenCodec codec, TokenFamilies families, RefreshTokens refreshTokens, AuthOptions options)
{
    /// <summary>Ends the family of an access or refresh token of the app; anything else changes nothing.</summary>
    public async Task RevokeAsync(Client client, string token, string network, CancellationToken cancellationToken)
    {
        var family = await refreshTokens.FindFamilyAsync(client, token, cancellationToken)
            ?? (OwnToken(client, token) is { Grant: { } sid } && Guid.TryParse(sid, out var id) ? id : null);
        if (family is { } found)
        {
            await families.RevokeAsync(found, "revoke", network, cancellationToken);
        }
    }

    /// <summary>What RFC 7662 section 2.2 says of a token; of one that is not the app's own, or over, only that it is not active.</summary>
    public async Task<JsonObject> DescribeAsync(Client client, string token, CancellationToken cancellationToken)
    {
        if (OwnToken(client, token) is { } access)
        {
            if (access.Grant is not null && (!Guid.TryParse(access.Grant, out var id) || !await families.IsAliveAsync(id, cancellationToken)))
            {
                return Inactive();
            }

            var answer = new JsonObject
            {
                ["active"] = true,
                ["iss"] = options.Issuer,
                ["aud"] = options.Issuer,
                ["sub"] = access.Subject,
                ["client_id"] = access.Client,
                ["scope"] = access.Scope,
                ["exp"] = access.ExpireTime.ToUnixTimeSeconds(),
                ["token_type"] = TokenIssuer.TypeOf(access.KeyThumbprint),
            };
            if (access.KeyThumbprint is not null)
            {
                answer["cnf"] = new JsonObject { ["jkt"] = access.KeyThumbprint };
            }

            return answer;
        }

        return await refreshTokens.FindLivingAsync(client, token, cancellationToken) is { } living
            ? new JsonObject
            {
                ["active"] = true,
                ["iss"] = options.Issuer,
                ["sub"] = living.Did,
                ["client_id"] = client.Did,
                ["scope"] = string.Join(' ', living.Scopes),
                ["exp"] = living.ExpireTime.ToUnixTimeSeconds(),
            }
            : Inactive();
    }

    private static JsonObject Inactive() => new() { ["active"] = false };

    private AccessToken? OwnToken(Client client, string token)
    {
        try
        {
            return codec.Verify(token) is { } access && access.Client == client.Did ? access : null;
        }
        catch (RpcException)
        {
            return null;
        }
    }
}
