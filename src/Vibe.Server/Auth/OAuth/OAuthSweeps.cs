using Vibe.Server.Auth.Accounts;

namespace Vibe.Server.Auth.OAuth;

/// <summary>What expires here.</summary>
internal static class OAuthSweeps
{
    // A second use of a code ends what the first one began; a day later nobody tries by accident.
    private static readonly TimeSpan UsedCodes = TimeSpan.FromDays(1);

    /// <summary>The sweeps.</summary>
    public static IReadOnlyList<Sweep> All { get; } =
    [
        new("authorization requests", static (now, limit) => $"""
            delete from vibe.authorization_requests where id in (
              select id from vibe.authorization_requests where expire_time < {now} limit {limit})
            """),
        new("authorization codes", static (now, limit) => $"""
            delete from vibe.authorization_codes where code_hash in (
              select code_hash from vibe.authorization_codes where expire_time < {now - UsedCodes} limit {limit})
            """),
        new("device codes", static (now, limit) => $"""
            delete from vibe.device_codes where device_hash in (
              select device_hash from vibe.device_codes where expire_time < {now} limit {limit})
            """),
        new("used assertions", static (now, limit) => $"""
            delete from vibe.used_assertions where assertion_hash in (
              select assertion_hash from vibe.used_assertions where expire_time < {now} limit {limit})
            """),
        new("token families", static (now, limit) => $"""
            delete from vibe.token_families where id in (
              select id from vibe.token_families where expire_time < {now} limit {limit})
            """),
    ];
}
