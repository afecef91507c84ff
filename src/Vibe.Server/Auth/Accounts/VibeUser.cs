namespace Vibe.Server.Auth.Accounts;

/// <summary>An account as the identity framework sees it.</summary>
/// <param name="Id">The bare UUID of the DID, 32 hex digits: what a passkey keeps as its user handle, at most 64 bytes (WebAuthn section 5.4.3).</param>
/// <param name="Did">The account.</param>
/// <param name="Handle">Its handle.</param>
internal sealed record VibeUser(string Id, string Did, string Handle)
{
    /// <summary>Stands where the framework asks for a user and does not use it.</summary>
    public static readonly VibeUser Nobody = new("", "", "");

    /// <summary>The UUID at the end of a DID.</summary>
    public static string IdOf(string did) => did[(did.LastIndexOf(':') + 1)..];
}
