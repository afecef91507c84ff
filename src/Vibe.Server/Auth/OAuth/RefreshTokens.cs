using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.OAuth;

/// <summary>
/// Refresh tokens: each works once and is followed by another (RFC 9700 section 4.14.2). One that comes again is in two hands:
/// the family ends, and whoever has to sign in again learns of it.
/// </summary>
internal sealed class RefreshTokens(Database database, TokenFamilies families, TimeProvider time)
{
    /// <summary>How long a refresh token waits to be used.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromDays(30);

    /// <summary>
    /// For how long the holder of the family's key may use the same token again: an answer that was lost on the way. Without a
    /// key there is no telling them from a thief, and no grace.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>Uses a refresh token and makes the next one. What the person has taken back since is no longer in its scopes.</summary>
    /// <param name="client">Who uses it.</param>
    /// <param name="token">The token.</param>
    /// <param name="keyThumbprint">The key the request proved; must be the family's.</param>
    /// <param name="network">Where the request comes from.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="OAuthError">invalid_grant.</exception>
    public async Task<(TokenFamily Family, string Next)> RotateAsync(
        Client client, string token, string? keyThumbprint, string network, CancellationToken cancellationToken)
    {
        var (hash, next, now) = (Secret.Hash(token), Secret.New(), time.GetUtcNow());
        var family = await UseAsync(
            $"""
            update vibe.refresh_tokens t set use_time = {now} from {Living(client, keyThumbprint, now)}
              and t.token_hash = {hash} and t.use_time is null and t.expire_time > {now}
            """,
            next, now, cancellationToken);
        return (family ?? await AgainAsync(client, hash, next, keyThumbprint, network, now, cancellationToken), next);
    }

    /// <summary>The names a token's family is good for, null when there is no such token of the client.</summary>
    public Task<string[]?> FindScopesAsync(Client client, string token, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"""
        select f.scopes from vibe.refresh_tokens t join vibe.token_families f on f.id = t.family_id
        where t.token_hash = {Secret.Hash(token)} and f.app_did = {client.Did}
        """,
        static row => row.GetTextArray(0),
        cancellationToken);

    /// <summary>The family of a token of the client, used or not; null when there is none.</summary>
    public async Task<Guid?> FindFamilyAsync(Client client, string token, CancellationToken cancellationToken) => await database.Owner.QueryFirstAsync(
        $"""
        select f.id from vibe.refresh_tokens t join vibe.token_families f on f.id = t.family_id
        where t.token_hash = {Secret.Hash(token)} and f.app_did = {client.Did}
        """,
        static row => (Guid?)row.GetGuid(0),
        cancellationToken);

    /// <summary>A token of the client that could be used now; null when there is none.</summary>
    public Task<LivingToken?> FindLivingAsync(Client client, string token, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return database.Owner.QueryFirstAsync(
            $"""
            select f.did, array(select scope from unnest(f.scopes) with ordinality as s (scope, place) where scope = any (g.scopes) order by place),
              t.expire_time
            from vibe.refresh_tokens t
              join vibe.token_families f on f.id = t.family_id and f.app_did = {client.Did} and f.revoke_time is null and f.expire_time > {now}
              join vibe.grants g on g.id = f.grant_id and (g.expire_time is null or g.expire_time > {now})
              join vibe.accounts a on a.did = f.did and a.disable_time is null and a.delete_time is null
            where t.token_hash = {Secret.Hash(token)} and t.use_time is null and t.expire_time > {now}
            """,
            static row => new LivingToken(row.GetString(0), row.GetTextArray(1), row.GetTimestamp(2)),
            cancellationToken);
    }

    private async Task<TokenFamily> AgainAsync(
        Client client, Bytea hash, string next, string? keyThumbprint, string network, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (keyThumbprint is not null && await UseAsync(
            $"""
            update vibe.refresh_tokens t set use_time = t.use_time from {Living(client, keyThumbprint, now)}
              and t.token_hash = {hash} and t.use_time > {now - Grace}
            """,
            next, now, cancellationToken) is { } sibling)
        {
            return sibling;
        }

        // Only who could have used the token can end its family: a token alone, without the key it is bound to, proves nothing.
        var reused = await database.Owner.QueryFirstAsync(
            $"""
            select f.id from vibe.refresh_tokens t join vibe.token_families f on f.id = t.family_id
            where t.token_hash = {hash} and t.use_time is not null and f.app_did = {client.Did}
              and f.key_thumbprint is not distinct from {keyThumbprint}
            """,
            static row => (Guid?)row.GetGuid(0),
            cancellationToken);
        if (reused is { } family)
        {
            await families.RevokeAsync(family, "reuse", network, cancellationToken);
        }

        throw OAuthError.InvalidGrant();
    }

    private Task<TokenFamily?> UseAsync(Sql use, string next, DateTimeOffset now, CancellationToken cancellationToken) => database.Owner.WriteFirstAsync(
        $"""
        with used as (
          {use}
          returning f.id, f.did, f.key_thumbprint, f.auth_time, f.methods, f.expire_time, g.id as grant_id, g.expire_time as grant_expire_time,
            array(select scope from unnest(f.scopes) with ordinality as s (scope, place) where scope = any (g.scopes) order by place) as granted),
        next as (
          insert into vibe.refresh_tokens (token_hash, family_id, create_time, expire_time)
          select {Secret.Hash(next)}, id, {now}, least({now + Idle}, expire_time) from used),
        family_use as (
          update vibe.token_families f set last_use_time = {now} from used where f.id = used.id),
        grant_use as (
          update vibe.grants g set last_use_time = {now} from used where g.id = used.grant_id)
        select id, did, granted, key_thumbprint, auth_time, methods, grant_expire_time from used
        """,
        static row => new TokenFamily
        {
            Id = row.GetGuid(0), Did = row.GetString(1), Scopes = row.GetTextArray(2), KeyThumbprint = row.GetStringOrNull(3),
            AuthTime = row.GetTimestampOrNull(4), Methods = row.GetTextArray(5), GrantExpireTime = row.GetTimestampOrNull(6),
        },
        cancellationToken);

    private static Sql Living(Client client, string? keyThumbprint, DateTimeOffset now) =>
        $"""
        vibe.token_families f, vibe.grants g, vibe.accounts a, vibe.apps p
        where f.id = t.family_id and f.app_did = {client.Did} and f.revoke_time is null and f.expire_time > {now}
          and f.key_thumbprint is not distinct from {keyThumbprint}
          and g.id = f.grant_id and (g.expire_time is null or g.expire_time > {now}) and 'offline_access' = any (g.scopes)
          and a.did = f.did and a.disable_time is null and a.delete_time is null
          and p.did = f.app_did and p.disable_time is null and p.delete_time is null
        """;
}

/// <summary>A refresh token that could be used.</summary>
internal sealed record LivingToken(string Did, IReadOnlyList<string> Scopes, DateTimeOffset ExpireTime);
