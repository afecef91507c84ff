using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.Revocations;

/// <summary>What a revocation ends.</summary>
internal enum RevocationKind
{
    /// <summary>All tokens of a grant, for good.</summary>
    Grant,

    /// <summary>The tokens an app got so far for a user.</summary>
    Consent,

    /// <summary>The tokens issued so far for a user, whatever the app.</summary>
    Account,

    /// <summary>The tokens an app got so far, for users and for itself.</summary>
    App,

    /// <summary>No token: what access rules call the account has changed, for example because it got a certificate.</summary>
    Principals,
}

/// <summary>
/// Something that ends or changes access before the tokens it concerns expire. Tokens issued after <see cref="RevokeTime"/> are
/// good again, except those of a revoked grant. Issue times have whole seconds, and a token of the same second counts as revoked.
/// </summary>
internal sealed record Revocation
{
    private Revocation(RevocationKind kind, string subject, string? app = null) => (Kind, Subject, App) = (kind, subject, app);

    /// <summary>Tells it from others.</summary>
    public Guid Id { get; init; } = Guid.CreateVersion7();

    /// <summary>What it ends.</summary>
    public RevocationKind Kind { get; }

    /// <summary>The grant's id, or the DID of the account or app.</summary>
    public string Subject { get; }

    /// <summary>The DID of the app; of a consent only.</summary>
    public string? App { get; }

    /// <summary>When, by the database's clock.</summary>
    public DateTimeOffset RevokeTime { get; init; }

    /// <summary>When no token that it concerns is alive any more.</summary>
    public DateTimeOffset ExpireTime { get; init; }

    /// <summary>Ends a grant: sign-out, or a refresh token that was used twice.</summary>
    public static Revocation OfGrant(string grant) => new(RevocationKind.Grant, grant);

    /// <summary>Ends what a user granted an app.</summary>
    public static Revocation OfConsent(string account, string app) => new(RevocationKind.Consent, account, app);

    /// <summary>Ends all sessions of a user.</summary>
    public static Revocation OfAccount(string account) => new(RevocationKind.Account, account);

    /// <summary>Ends what an app does: it was disabled.</summary>
    public static Revocation OfApp(string app) => new(RevocationKind.App, app);

    /// <summary>A certificate of the account was issued or revoked.</summary>
    public static Revocation OfPrincipals(string account) => new(RevocationKind.Principals, account);

    /// <summary>
    /// The statement that writes it down and returns <see cref="Columns"/>: to be run in the transaction of what causes it. Give
    /// the result to <see cref="RevocationSet.Apply"/> once committed; other nodes find it by themselves.
    /// </summary>
    public Sql ToStatement(AuthOptions options)
    {
        // Operators' tokens belong to no grant, and may live longer.
        var life = (Kind == RevocationKind.Grant ? options.AccessTokenLife : AuthOptions.LongestTokenLife) + TokenCodec.Skew;
        return $"""
            insert into vibe.revocations as r (id, kind, subject, app_did, expire_time)
            values ({Id}, {NameOf(Kind)}, {Subject}, {App}, clock_timestamp() + {life})
            returning {Columns}
            """;
    }

    /// <summary>The columns of a row <c>r</c> that <see cref="Read"/> expects, in its order.</summary>
    public static readonly Sql Columns = $"r.id, r.kind, r.subject, r.app_did, r.revoke_time, r.expire_time";

    /// <summary>Reads the row of a statement whose columns from a place on are <see cref="Columns"/>.</summary>
    public static Revocation Read(Row row, int first = 0) =>
        new(Enum.Parse<RevocationKind>(row.GetString(first + 1), ignoreCase: true), row.GetString(first + 2), row.GetStringOrNull(first + 3))
        {
            Id = row.GetGuid(first), RevokeTime = row.GetTimestamp(first + 4), ExpireTime = row.GetTimestamp(first + 5),
        };

    private static string NameOf(RevocationKind kind) => kind switch
    {
        RevocationKind.Grant => "grant",
        RevocationKind.Consent => "consent",
        RevocationKind.Account => "account",
        RevocationKind.App => "app",
        _ => "principals",
    };
}
