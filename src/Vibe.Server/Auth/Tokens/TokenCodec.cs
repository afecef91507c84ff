using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vibe.Server.Auth.Tokens;

/// <summary>
/// Access tokens as compact JWS (RFC 7515) with ES256, in the profile of RFC 9068. Checks in the order of cost; every
/// check that fails throws the same error.
/// </summary>
internal sealed class TokenCodec(SigningKeys keys, AuthOptions options, TimeProvider time)
{
    private const string Type = "at+jwt";

    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    /// <summary>Signs the claims with the active key.</summary>
    public string Sign(AccessToken token)
    {
        var claims = new JsonObject
        {
            ["iss"] = options.Issuer,
            ["aud"] = options.Issuer,
            ["sub"] = token.Subject,
            ["client_id"] = token.Client,
            ["scope"] = token.Scope,
            ["sid"] = token.Grant,
            ["cnf"] = token.KeyThumbprint is null ? null : new JsonObject { ["jkt"] = token.KeyThumbprint },
            ["iat"] = time.GetUtcNow().ToUnixTimeSeconds(),
            ["exp"] = token.ExpireTime.ToUnixTimeSeconds(),
            ["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)),
        };
        foreach (var absent in claims.Where(claim => claim.Value is null).Select(claim => claim.Key).ToArray())
        {
            claims.Remove(absent);
        }

        return Jws.Sign(keys.Active, Type, claims);
    }

    /// <summary>Returns the claims of a token that is ours and alive.</summary>
    /// <exception cref="Grpc.Core.RpcException">UNAUTHENTICATED, reason TOKEN_INVALID or TOKEN_EXPIRED.</exception>
    public AccessToken Verify(string token)
    {
        using var jws = Jws.Parse(token);

        // Exactly this type and algorithm: they are ours to choose, not the token's.
        if (jws?.HeaderText("typ") != Type || jws.HeaderText("kid") is not { } id || keys.Find(id) is not { Algorithm: "ES256" } key
            || !jws.IsSignedBy(key.Public) || jws.ClaimText("iss") != options.Issuer || jws.ClaimText("aud") != options.Issuer)
        {
            throw AuthErrors.TokenInvalid();
        }

        // A clock that is ahead must not make tokens that outlive a revocation.
        var now = time.GetUtcNow();
        if (!(jws.ClaimTime("iat") <= now + Skew) || (jws.HasClaim("nbf") && !(jws.ClaimTime("nbf") <= now + Skew)))
        {
            throw AuthErrors.TokenInvalid();
        }

        var expireTime = jws.ClaimTime("exp") ?? throw AuthErrors.TokenInvalid();
        return expireTime > now - Skew ? Read(jws, expireTime) : throw AuthErrors.TokenExpired(expireTime);
    }

    private static AccessToken Read(Jws jws, DateTimeOffset expireTime) => new()
    {
        Subject = jws.ClaimText("sub") ?? throw AuthErrors.TokenInvalid(),
        Client = Optional(jws, "client_id"),
        Scope = Optional(jws, "scope") ?? "",
        Grant = Optional(jws, "sid"),
        KeyThumbprint = jws.Claims.TryGetProperty("cnf", out var confirmation) ? Thumbprint(confirmation) : null,
        IssueTime = jws.ClaimTime("iat")!.Value,
        ExpireTime = expireTime,
    };

    private static string? Optional(Jws jws, string name) =>
        jws.HasClaim(name) ? jws.ClaimText(name) ?? throw AuthErrors.TokenInvalid() : null;

    // Whatever else a token is bound to, it is not taken for one that is bound to nothing.
    private static string Thumbprint(JsonElement confirmation) =>
        confirmation.ValueKind == JsonValueKind.Object && confirmation.TryGetProperty("jkt", out var thumbprint) && thumbprint.ValueKind == JsonValueKind.String
            ? thumbprint.GetString()!
            : throw AuthErrors.TokenInvalid();
}
