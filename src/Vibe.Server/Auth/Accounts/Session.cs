namespace Vibe.Server.Auth.Accounts;

/// <summary>A browser that is signed in on the origin of Vibe.</summary>
internal sealed record Session
{
    /// <summary>Names the session; no secret. New at every sign-in and step-up.</summary>
    public required Guid Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required string Did { get; init; }

    /// <summary>The person's handle.</summary>
    public required string Handle { get; init; }

    /// <summary>What the person is called; empty when nothing was said.</summary>
    public required string DisplayName { get; init; }

    /// <summary>When the person last proved who they are: <c>auth_time</c>.</summary>
    public required DateTimeOffset AuthTime { get; init; }

    /// <summary>How they did: values of <see cref="AuthMethod"/>, the claim <c>amr</c>.</summary>
    public required string[] Methods { get; init; }

    /// <summary>Whether the person may be given the scope <c>admin</c>.</summary>
    public required bool IsOperator { get; init; }

    /// <summary>Whether anything but access to a mailbox was proved.</summary>
    public bool IsStrong => Methods.Any(static method => method != AuthMethod.Mail);

    /// <summary>Whether the person has proved who they are lately, and not by mail alone: what changes credentials asks for it.</summary>
    public bool IsFresh(DateTimeOffset now) => IsStrong && AuthTime > now - AccountOptions.Freshness;
}

/// <summary>How a person proved who they are: RFC 8176, and names of our own where it has none.</summary>
internal static class AuthMethod
{
    /// <summary>A password.</summary>
    public const string Password = "pwd";

    /// <summary>A passkey that stays in its device.</summary>
    public const string DeviceKey = "hwk";

    /// <summary>A passkey that may be synchronised between devices.</summary>
    public const string SyncedKey = "swk";

    /// <summary>The device asked for a PIN, a finger or a face.</summary>
    public const string UserVerified = "user";

    /// <summary>Several factors: a passkey with user verification.</summary>
    public const string Multiple = "mfa";

    /// <summary>A link sent by mail. Not of RFC 8176.</summary>
    public const string Mail = "mail";

    /// <summary>A recovery code. Not of RFC 8176.</summary>
    public const string RecoveryCode = "recovery";
}
