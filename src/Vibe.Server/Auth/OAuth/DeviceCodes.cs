using System.Security.Cryptography;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Accounts;

namespace Vibe.Server.Auth.OAuth;

/// <summary>What a person is asked for a device.</summary>
internal sealed record DeviceRequest(string App, IReadOnlyList<string> Scopes, string Network, DateTimeOffset CreateTime, DateTimeOffset ExpireTime);

/// <summary>Devices that wait for somebody to type their code elsewhere (RFC 8628).</summary>
internal sealed class DeviceCodes(Database database, TimeProvider time)
{
    /// <summary>How long a device waits.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>The time between two questions of a device; five seconds more after each that comes too early.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    // Without vowels, so that no word comes out, and without what looks like something else (RFC 8628 section 6.1): 34 bits.
    private const string Letters = "BCDFGHJKLMNPQRSTVWXZ";
    private const int UserCodeLength = 8;

    /// <summary>Makes a pair of codes; the person types the second one: <c>WDJB-MJHT</c>.</summary>
    public async Task<(string DeviceCode, string UserCode)> CreateAsync(
        Client client, IReadOnlyList<string> scopes, string network, CancellationToken cancellationToken)
    {
        var (device, user, now) = (Secret.New(), RandomNumberGenerator.GetString(Letters, UserCodeLength), time.GetUtcNow());
        await database.Owner.ExecuteAsync(
            $"""
            insert into vibe.device_codes (device_hash, user_code_hash, app_did, scopes, network, poll_interval, create_time, expire_time)
            values ({Secret.Hash(device)}, {Secret.Hash(user)}, {client.Did}, {scopes}, {network}, {Interval}, {now}, {now + Life})
            """,
            cancellationToken);
        return (device, $"{user[..4]}-{user[4..]}");
    }

    /// <summary>The request behind a code that somebody typed; null when there is none that waits.</summary>
    public Task<DeviceRequest?> FindAsync(string userCode, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"""
        select app_did, scopes, network, create_time, expire_time from vibe.device_codes
        where user_code_hash = {HashOf(userCode)} and decide_time is null and expire_time > {time.GetUtcNow()}
        """,
        static row => new DeviceRequest(row.GetString(0), row.GetTextArray(1), row.GetString(2), row.GetTimestamp(3), row.GetTimestamp(4)),
        cancellationToken);

    /// <summary>Notes the person's answer, once.</summary>
    /// <returns>Whether the request still waited for it.</returns>
    public async Task<bool> DecideAsync(string userCode, Session session, IReadOnlyList<string>? accepted, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return await database.Owner.ExecuteAsync(
            $"""
            update vibe.device_codes set decided_by = {session.Did}, accepted = {accepted}, decide_time = {now}, session_id = {session.Id},
              auth_time = {session.AuthTime}, methods = {session.Methods}
            where user_code_hash = {HashOf(userCode)} and decide_time is null and expire_time > {now}
            """,
            cancellationToken) == 1;
    }

    /// <summary>A device asks whether somebody has answered: if they allowed it, its family begins, once.</summary>
    /// <exception cref="OAuthError">authorization_pending, slow_down, access_denied, expired_token, invalid_grant.</exception>
    public async Task<(TokenFamily Family, string? RefreshToken)> RedeemAsync(
        Client client, string deviceCode, string? keyThumbprint, CancellationToken cancellationToken)
    {
        var (hash, now) = (Secret.Hash(deviceCode), time.GetUtcNow());
        var poll = await database.Owner.WriteFirstAsync(
            $"""
            update vibe.device_codes d set poll_time = {now},
              poll_interval = case when d.poll_time + d.poll_interval > {now} then d.poll_interval + {Interval} else d.poll_interval end
            from vibe.device_codes old
            where d.device_hash = {hash} and old.device_hash = d.device_hash and d.app_did = {client.Did}
            returning old.poll_time + old.poll_interval > {now}, d.decide_time is not null, d.accepted is not null, d.expire_time <= {now}
            """,
            static row => new { IsEarly = row.GetBooleanOrNull(0) ?? false, IsDecided = row.GetBoolean(1), IsAllowed = row.GetBoolean(2), IsOver = row.GetBoolean(3) },
            cancellationToken) ?? throw OAuthError.InvalidGrant();
        if (poll.IsOver)
        {
            throw new OAuthError("expired_token", "Nobody answered in time: start over.");
        }

        if (poll.IsEarly)
        {
            throw new OAuthError("slow_down", "Ask less often: the interval is five seconds longer now.");
        }

        if (!poll.IsDecided)
        {
            throw new OAuthError("authorization_pending", "Nobody has answered yet.");
        }

        if (!poll.IsAllowed)
        {
            throw OAuthError.AccessDenied();
        }

        var refreshToken = Secret.New();
        var family = await UseAsync(hash, refreshToken, keyThumbprint, now, cancellationToken) ?? throw OAuthError.InvalidGrant();
        return (family, family.Scopes.Contains(ScopeNames.OfflineAccess) ? refreshToken : null);
    }

    private Task<TokenFamily?> UseAsync(
        Bytea hash, string refreshToken, string? key, DateTimeOffset now, CancellationToken cancellationToken) => database.Owner.WriteFirstAsync(
        $"""
        with used as (
          delete from vibe.device_codes d using vibe.grants g, vibe.accounts a, vibe.apps p
          where d.device_hash = {hash} and g.did = d.decided_by and g.app_did = d.app_did and (g.expire_time is null or g.expire_time > {now})
            and a.did = d.decided_by and a.disable_time is null and a.delete_time is null
            and p.did = d.app_did and p.disable_time is null and p.delete_time is null
          returning {Guid.CreateVersion7(now)} as family_id, d.*, g.id as grant_id, g.expire_time as grant_expire_time,
            array(select scope from unnest(d.accepted) with ordinality as s (scope, place) where scope = any (g.scopes) order by place) as granted),
        family as (
          insert into vibe.token_families
            (id, did, app_did, grant_id, session_id, key_thumbprint, scopes, auth_time, methods, create_time, last_use_time, expire_time)
          select family_id, decided_by, app_did, grant_id, session_id, {key}, granted, auth_time, methods, {now}, {now}, {now + TokenFamilies.Life} from used),
        refresh as (
          insert into vibe.refresh_tokens (token_hash, family_id, create_time, expire_time)
          select {Secret.Hash(refreshToken)}, family_id, {now}, {now + RefreshTokens.Idle} from used where 'offline_access' = any (granted))
        select family_id, decided_by, granted, auth_time, methods, grant_expire_time from used
        """,
        row => new TokenFamily
        {
            Id = row.GetGuid(0), Did = row.GetString(1), Scopes = row.GetTextArray(2), KeyThumbprint = key, AuthTime = row.GetTimestamp(3),
            Methods = row.GetTextArray(4), GrantExpireTime = row.GetTimestampOrNull(5),
        },
        cancellationToken);

    // However somebody types it: small letters, with or without the dash.
    private static Bytea HashOf(string userCode) =>
        Secret.Hash(new string([.. userCode.ToUpperInvariant().Where(static character => Letters.Contains(character, StringComparison.Ordinal)).Take(UserCodeLength + 1)]));
}
