using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Assertions that an app signs with a key of its manifest's credentials (RFC 7523 section 3): each works once, on whichever node.</summary>
internal sealed class ClientAssertions(Clients clients, ClientChallenges challenges, Database database, AuthOptions options, TimeProvider time)
{
    /// <summary>What <c>client_assertion_type</c> must say.</summary>
    public const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /// <summary>The algorithms, as discovery names them.</summary>
    public static readonly IReadOnlyList<string> Algorithms = ["ES256", "RS256"];

    // What a client may ask us to remember its assertion for.
    private static readonly TimeSpan LongestLife = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    // Providers and libraries disagree on which of these an assertion is for.
    private readonly string[] _audiences =
        [options.Issuer, $"{options.Issuer}/oauth/token", $"{options.Issuer}/oauth/par", $"{options.Issuer}/oauth/revoke",
         $"{options.Issuer}/oauth/introspect", $"{options.Issuer}/oauth/device_authorization"];

    /// <summary>The app that signed it.</summary>
    /// <exception cref="OAuthError">invalid_client.</exception>
    public async Task<Client> VerifyAsync(string assertion, CancellationToken cancellationToken)
    {
        using var jws = Jws.Parse(assertion);
        if (jws is null || jws.ClaimText("iss") is not { } issuer || jws.ClaimText("sub") != issuer || !IsForUs(jws.Claims)
            || jws.ClaimText("jti") is not { Length: > 0 and <= 256 } id || EndOf(jws, issuer, id) is not { } expireTime)
        {
            throw OAuthError.InvalidClient();
        }

        var client = await clients.FindAsync(issuer, cancellationToken);
        if (client is null || !await IsSignedByAsync(client, jws, cancellationToken))
        {
            throw OAuthError.InvalidClient();
        }

        // Last: nobody but the key's holder can use up an assertion.
        var hash = new Bytea(SHA256.HashData(Encoding.UTF8.GetBytes($"{issuer}\n{id}")));
        var isNew = await database.Owner.ExecuteAsync(
            $"insert into vibe.used_assertions (assertion_hash, expire_time) values ({hash}, {expireTime + Skew}) on conflict do nothing", cancellationToken);
        return isNew == 1 ? client : throw OAuthError.InvalidClient();
    }

    // What it says itself; or, when it says nothing, the end of the challenge that it answers.
    private DateTimeOffset? EndOf(Jws jws, string issuer, string id)
    {
        if (!jws.HasClaim("exp"))
        {
            return challenges.Verify(id, issuer);
        }

        var now = time.GetUtcNow();
        return jws.ClaimTime("exp") is { } expireTime && expireTime > now - Skew && expireTime <= now + LongestLife
            && (!jws.HasClaim("nbf") || jws.ClaimTime("nbf") <= now + Skew)
            && (!jws.HasClaim("iat") || jws.ClaimTime("iat") <= now + Skew)
            ? expireTime
            : null;
    }

    private bool IsForUs(JsonElement claims) => claims.TryGetProperty("aud", out var audience) && audience.ValueKind switch
    {
        JsonValueKind.String => _audiences.Contains(audience.GetString()),

        // An assertion for several is one that another of them could pass on.
        JsonValueKind.Array => audience.GetArrayLength() == 1 && audience[0].ValueKind == JsonValueKind.String && _audiences.Contains(audience[0].GetString()),
        _ => false,
    };

    private async Task<bool> IsSignedByAsync(Client client, Jws jws, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var known = await database.Owner.QueryAsync(
            $"""
            select id, jwk, last_use_time from vibe.app_credentials
            where app_did = {client.Did} and kind = 'key' and revoke_time is null and (expire_time is null or expire_time > {now})
            """,
            static row => (Id: row.GetGuid(0), Jwk: row.GetJson(1), LastUse: row.GetTimestampOrNull(2)),
            cancellationToken);
        foreach (var (id, json, lastUse) in known)
        {
            using var jwk = JsonDocument.Parse(json);
            if (VerificationKey.FromJwk(jwk.RootElement) is { } key && jws.IsSignedBy(key))
            {
                await CredentialUse.TouchAsync(database, id, lastUse, now, cancellationToken);
                return true;
            }
        }

        return false;
    }
}
