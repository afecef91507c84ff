using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.OAuth;

/// <summary>What an app redeems a code with.</summary>
internal sealed record CodeRedemption(string Code, string? RedirectUri, string Verifier, string? KeyThumbprint, string Network);

/// <summary>A redeemed code.</summary>
internal sealed record RedeemedCode(TokenFamily Family, string? RefreshToken, string? Nonce);

/// <summary>Redeems authorization codes: once each, by the app, key and verifier they were made for (RFC 9700 section 2.1).</summary>
internal sealed class Codes(Database database, TokenFamilies families, TimeProvider time)
{
    /// <summary>Redeems a code and begins its family. A code that was redeemed before ends the family that began with it.</summary>
    /// <exception cref="OAuthError">invalid_grant.</exception>
    public async Task<RedeemedCode> RedeemAsync(Client client, CodeRedemption redemption, CancellationToken cancellationToken)
    {
        var hash = Secret.Hash(redemption.Code);
        var now = time.GetUtcNow();
        var code = await database.Owner.QueryFirstAsync(
            $"""
            select family_id, app_did, redirect_uri, code_challenge, key_thumbprint, expire_time, use_time is not null
            from vibe.authorization_codes where code_hash = {hash}
            """,
            static row => new
            {
                Family = row.GetGuid(0), App = row.GetString(1), RedirectUri = row.GetStringOrNull(2), Challenge = row.GetString(3),
                Key = row.GetStringOrNull(4), ExpireTime = row.GetTimestamp(5), IsUsed = row.GetBoolean(6),
            },
            cancellationToken);
        if (code is null || code.App != client.Did)
        {
            throw OAuthError.InvalidGrant();
        }

        if (code.IsUsed)
        {
            await families.RevokeAsync(code.Family, "reuse", redemption.Network, cancellationToken);
            throw OAuthError.InvalidGrant();
        }

        if (code.ExpireTime <= now || code.RedirectUri != redemption.RedirectUri || !IsVerifierOf(code.Challenge, redemption.Verifier)
            || (code.Key is not null && code.Key != redemption.KeyThumbprint))
        {
            throw OAuthError.InvalidGrant();
        }

        var refreshToken = Secret.New();
        if (await UseAsync(hash, refreshToken, redemption.KeyThumbprint, now, cancellationToken) is { } redeemed)
        {
            return redeemed;
        }

        // Somebody else has used it since, or the account, the app or the consent has ended.
        await families.RevokeAsync(code.Family, "reuse", redemption.Network, cancellationToken);
        throw OAuthError.InvalidGrant();
    }

    private Task<RedeemedCode?> UseAsync(
        Bytea hash, string refreshToken, string? key, DateTimeOffset now, CancellationToken cancellationToken) => database.Owner.WriteFirstAsync(
        $"""
        with used as (
          update vibe.authorization_codes c set use_time = {now}
          from vibe.grants g, vibe.accounts a, vibe.apps p
          where c.code_hash = {hash} and c.use_time is null and g.id = c.grant_id and (g.expire_time is null or g.expire_time > {now})
            and a.did = c.did and a.disable_time is null and a.delete_time is null
            and p.did = c.app_did and p.disable_time is null and p.delete_time is null
          returning c.*, g.expire_time as grant_expire_time,
            array(select scope from unnest(c.scopes) with ordinality as s (scope, place) where scope = any (g.scopes) order by place) as granted),
        family as (
          insert into vibe.token_families
            (id, did, app_did, grant_id, session_id, key_thumbprint, scopes, auth_time, methods, create_time, last_use_time, expire_time)
          select family_id, did, app_did, grant_id, session_id, {key}, granted, auth_time, methods, {now}, {now}, {now + TokenFamilies.Life} from used),
        refresh as (
          insert into vibe.refresh_tokens (token_hash, family_id, create_time, expire_time)
          select {Secret.Hash(refreshToken)}, family_id, {now}, {now + RefreshTokens.Idle} from used where 'offline_access' = any (granted)),
        grant_use as (
          update vibe.grants g set last_use_time = {now} from used where g.id = used.grant_id)
        select family_id, did, granted, auth_time, methods, grant_expire_time, nonce from used
        """,
        row =>
        {
            var scopes = row.GetTextArray(2);
            return new RedeemedCode(
                new TokenFamily
                {
                    Id = row.GetGuid(0), Did = row.GetString(1), Scopes = scopes, KeyThumbprint = key, AuthTime = row.GetTimestamp(3),
                    Methods = row.GetTextArray(4), GrantExpireTime = row.GetTimestampOrNull(5),
                },
                scopes.Contains(ScopeNames.OfflineAccess) ? refreshToken : null,
                row.GetStringOrNull(6));
        },
        cancellationToken);

    // RFC 7636 section 4.6, S256.
    private static bool IsVerifierOf(string challenge, string verifier) =>
        verifier.Length is >= 43 and <= 128 && CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))), Encoding.ASCII.GetBytes(challenge));
}
