namespace Vibe.Server.Auth.Accounts;

/// <summary>Settings of accounts, from <c>Vibe:Accounts</c>.</summary>
internal sealed record AccountOptions
{
    /// <summary>How long after a proof a person may change credentials without another one: 10 minutes.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMinutes(10);

    /// <summary>A session that is not used for so long ends. Default 30 days.</summary>
    public TimeSpan SessionIdle { get; init; } = TimeSpan.FromDays(30);

    /// <summary>A session ends after so long in any case. Default 90 days.</summary>
    public TimeSpan SessionLife { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How long a challenge of a passkey waits for its answer. Default 10 minutes.</summary>
    public TimeSpan ChallengeLife { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a link sent by mail is good. Default 10 minutes.</summary>
    public TimeSpan MailLinkLife { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a passkey that a mail link alone added must wait. Default 24 hours.</summary>
    public TimeSpan MailPasskeyDelay { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The life of an access token of the account pages. Default 5 minutes.</summary>
    public TimeSpan AccountTokenLife { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For how long nobody else gets a handle that was given up. Default 365 days.</summary>
    public TimeSpan HandleRest { get; init; } = TimeSpan.FromDays(365);

    /// <summary>How long audit events are kept. Default 365 days.</summary>
    public TimeSpan AuditLife { get; init; } = TimeSpan.FromDays(365);
}
