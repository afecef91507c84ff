using System.Collections.Immutable;

namespace Vibe.Server.Kernel;

/// <summary>
/// Who makes a call, and how far their rights reach. Made once per access token, shared by all its calls.
/// </summary>
internal sealed record Caller
{
    /// <summary>Someone without an access token: sees what is public, writes nothing.</summary>
    public static readonly Caller SignedOut = new();

    /// <summary>The DID the caller acts as: a user, or an app acting as itself. Null for a signed-out visitor.</summary>
    public string? Did { get; init; }

    /// <summary>
    /// The DID of the app the call comes through. Null when an operator's token names none. A signed-out visitor of an app has
    /// one, and nothing more.
    /// </summary>
    public string? App { get; init; }

    /// <summary>
    /// What access rules may name to mean this caller: <see cref="Did"/>, <see cref="PrincipalName.Users"/> for a user,
    /// certificates. At most 50; never <see cref="PrincipalName.Everyone"/>.
    /// </summary>
    public ImmutableArray<string> Principals { get; init; } = [];

    /// <summary>What the user granted the app.</summary>
    public Scopes Scopes { get; init; } = Scopes.None;

    /// <summary>
    /// What an app that acts as itself may do with the documents of others: as if their access rules let it in. Empty for
    /// everybody else.
    /// </summary>
    public Scopes Privileges { get; init; } = Scopes.None;

    /// <summary>When <see cref="Principals"/> stop being true: a certificate among them ends; null for never.</summary>
    public DateTimeOffset? PrincipalsEndTime { get; init; }

    /// <summary>The grant the access token belongs to; null for an operator's token.</summary>
    public string? Grant { get; init; }

    /// <summary>The key that whoever sends the access token must prove to hold (RFC 9449); null for a bearer token.</summary>
    public string? KeyThumbprint { get; init; }

    /// <summary>When the access token was issued, in whole seconds; null without one.</summary>
    public DateTimeOffset? IssueTime { get; init; }

    /// <summary>The version of the node's revocations at which <see cref="Principals"/> were found out.</summary>
    public long AccessVersion { get; init; }

    /// <summary>When the access token ends, and with it every stream it opened; null without one.</summary>
    public DateTimeOffset? ExpireTime { get; init; }

    /// <summary>Whether there is an access token.</summary>
    public bool IsSignedIn => Did is not null;
}

/// <summary>The names of groups in access rules.</summary>
internal static class PrincipalName
{
    /// <summary>Everyone, signed out too.</summary>
    public const string Everyone = "*";

    /// <summary>Every signed-in user; not apps acting as themselves.</summary>
    public const string Users = "users";
}
