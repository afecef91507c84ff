using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>What expires here.</summary>
internal static class AccountSweeps
{
    // What ended is kept for a while, so that a person can see it among their sessions' events.
    private static readonly TimeSpan EndedSessions = TimeSpan.FromDays(7);

    // The slowest bucket is full again long before.
    private static readonly TimeSpan Throttles = TimeSpan.FromDays(31);

    /// <summary>Adds the sweeps. Needs the database, a clock and <see cref="AccountOptions"/>.</summary>
    public static void AddAccountSweeps(this IServiceCollection services)
    {
        services.AddExpiredRows("challenges", static (now, limit) => OfColumn($"vibe.challenges", $"id", $"expire_time < {now}", limit));
        services.AddExpiredRows("mail links", static (now, limit) => OfColumn($"vibe.mail_links", $"token_hash", $"expire_time < {now}", limit));
        services.AddExpiredRows<AccountOptions>("released handles", static (options, now, limit) =>
            OfColumn($"vibe.released_handles", $"handle", $"release_time < {now - options.HandleRest}", limit));
        services.AddExpiredRows<AccountOptions>("audit events", static (options, now, limit) =>
            OfColumn($"vibe.audit_events", $"id", $"create_time < {now - options.AuditLife}", limit));
        services.AddExpiredRows("throttles", static (now, limit) => OfColumn($"vibe.throttles", $"key", $"update_time < {now - Throttles}", limit));

        // Families outlive the session they came from, unless it was revoked.
        services.AddExpiredRows<AccountOptions>("sessions of families", static (options, now, limit) => $"""
            update vibe.token_families set session_id = null where id in (
              select f.id from vibe.token_families f join vibe.sessions s on s.id = f.session_id where {Ended(now, options)} limit {limit})
            """);
        services.AddExpiredRows<AccountOptions>("sessions", static (options, now, limit) => $"""
            delete from vibe.sessions where id in (
              select s.id from vibe.sessions s where {Ended(now, options)}
                and not exists (select from vibe.token_families f where f.session_id = s.id) limit {limit})
            """);
    }

    private static Sql Ended(DateTimeOffset now, AccountOptions options) =>
        $"""
        (s.expire_time < {now - EndedSessions} or s.revoke_time < {now - EndedSessions}
         or s.last_use_time < {now - options.SessionIdle - EndedSessions})
        """;

    private static Sql OfColumn(Sql table, Sql key, Sql condition, int limit) =>
        $"delete from {table} where {key} in (select {key} from {table} where {condition} limit {limit})";
}
