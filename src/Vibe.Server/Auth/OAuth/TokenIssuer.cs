using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Makes the tokens of a family: whatever they are asked for with, they come from here.</summary>
internal sealed class TokenIssuer(Database database, TokenCodec codec, KeyRotation keys, AuthOptions options, TimeProvider time)
{
    /// <summary>How the person signed in was strong against phishing (OpenID Connect EAP ACR values).</summary>
    public const string PhishingResistant = "phr";

    /// <summary>Any other way.</summary>
    public const string Plain = "1";

    /// <summary>How long an access token lives.</summary>
    public TimeSpan Life => options.AccessTokenLife;

    /// <summary>What to send a token as: bound to a key (RFC 9449) or not (RFC 6750).</summary>
    public static string TypeOf(string? keyThumbprint) => keyThumbprint is null ? "Bearer" : "DPoP";

    /// <summary>The access token of a family, with what else belongs into the answer.</summary>
    public async Task<IssuedTokens> IssueAsync(
        Client client, TokenFamily family, string? refreshToken, string? nonce, CancellationToken cancellationToken)
    {
        var life = LifeOf(family);
        var accessToken = codec.Sign(new AccessToken
        {
            Subject = family.Did,
            Client = client.Did,
            // What an app does as itself is no matter of its manifest.
            Scope = family.AuthTime is null ? string.Join(' ', family.Scopes) : ScopeNames.Expand(client, family.Scopes),
            Grant = family.Id.ToString(),
            KeyThumbprint = family.KeyThumbprint,
            ExpireTime = time.GetUtcNow() + life,
        });
        return new IssuedTokens
        {
            AccessToken = accessToken,
            TokenType = TypeOf(family.KeyThumbprint),
            Life = life,
            Scope = string.Join(' ', family.Scopes),
            RefreshToken = refreshToken,
            IdToken = family.AuthTime is not null && family.Scopes.Contains(ScopeNames.OpenId)
                ? await IdTokenAsync(client, family, accessToken, nonce, cancellationToken)
                : null,
        };
    }

    /// <summary>The shown name and handle of an account, for the claims of the scope profile; null when it is gone.</summary>
    public Task<Profile?> FindProfileAsync(string did, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"""
        select display_name, handle, locale, update_time from vibe.accounts
        where did = {did} and delete_time is null and disable_time is null
        """,
        static row => new Profile(row.GetString(0), row.GetStringOrNull(1), row.GetString(2), row.GetTimestamp(3)),
        cancellationToken);

    private TimeSpan LifeOf(TokenFamily family)
    {
        var left = (family.GrantExpireTime ?? DateTimeOffset.MaxValue) - time.GetUtcNow();
        return left < options.AccessTokenLife ? TimeSpan.FromSeconds(Math.Max(0, Math.Floor(left.TotalSeconds))) : options.AccessTokenLife;
    }

    private async Task<string> IdTokenAsync(
        Client client, TokenFamily family, string accessToken, string? nonce, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var token = new JsonObject
        {
            ["iss"] = options.Issuer,
            ["sub"] = family.Did,
            ["aud"] = client.Did,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + options.AccessTokenLife).ToUnixTimeSeconds(),
            ["auth_time"] = family.AuthTime!.Value.ToUnixTimeSeconds(),
            ["acr"] = family.Methods.Any(static method => method is "hwk" or "swk") ? PhishingResistant : Plain,
            ["amr"] = new JsonArray([.. family.Methods.Select(static method => (JsonNode)method)]),

            // The left half of the access token's hash (OpenID Connect Core section 3.1.3.6).
            ["at_hash"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16)),
        };
        if (nonce is not null)
        {
            token["nonce"] = nonce;
        }

        // Many libraries look for these here and never ask /oauth/userinfo.
        if (family.Scopes.Contains(ScopeNames.Profile) && await FindProfileAsync(family.Did, cancellationToken) is { } profile)
        {
            foreach (var (name, value) in profile.ToClaims())
            {
                token[name] = value?.DeepClone();
            }
        }

        return Jws.Sign(await keys.GetActiveAsync(client.IdTokenAlgorithm, cancellationToken), "JWT", token);
    }
}

/// <summary>What the scope profile tells of a person.</summary>
/// <param name="DisplayName">The shown name; may be empty.</param>
/// <param name="Handle">The handle.</param>
/// <param name="Locale">BCP 47; may be empty.</param>
/// <param name="UpdateTime">When any of it changed.</param>
internal sealed record Profile(string DisplayName, string? Handle, string Locale, DateTimeOffset UpdateTime)
{
    /// <summary>OpenID Connect Core section 5.1.</summary>
    public JsonObject ToClaims()
    {
        var claims = new JsonObject { ["name"] = DisplayName.Length > 0 ? DisplayName : Handle, ["preferred_username"] = Handle };
        if (Locale.Length > 0)
        {
            claims["locale"] = Locale;
        }

        claims["updated_at"] = UpdateTime.ToUnixTimeSeconds();
        return claims;
    }
}
