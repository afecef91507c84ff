namespace Vibe.Server.Auth.OAuth;

/// <summary>What expires here.</summary>
internal static class OAuthSweeps
{
    // A second use of a code ends what the first one began; a day later nobody tries by accident.
    private static readonly TimeSpan UsedCodes = TimeSpan.FromDays(1);

    /// <summary>Adds the sweeps. Needs the database and a clock.</summary>
    public static void AddOAuthSweeps(this IServiceCollection services)
    {
        services.AddExpiredRows("authorization requests", static (now, limit) => $"""
            delete from vibe.authorization_requests where id in (
              select id from vibe.authorization_requests where expire_time < {now} limit {limit})
            """);
        services.AddExpiredRows("authorization codes", static (now, limit) => $"""
            delete from vibe.authorization_codes where code_hash in (
              select code_hash from vibe.authorization_codes where expire_time < {now - UsedCodes} limit {limit})
            """);
        services.AddExpiredRows("device codes", static (now, limit) => $"""
            delete from vibe.device_codes where device_hash in (
              select device_hash from vibe.device_codes where expire_time < {now} limit {limit})
            """);
        services.AddExpiredRows("used assertions", static (now, limit) => $"""
            delete from vibe.used_assertions where assertion_hash in (
              select assertion_hash from vibe.used_assertions where expire_time < {now} limit {limit})
            """);
        services.AddExpiredRows("token families", static (now, limit) => $"""
            delete from vibe.token_families where id in (
              select id from vibe.token_families where expire_time < {now} limit {limit})
            """);
    }
}
