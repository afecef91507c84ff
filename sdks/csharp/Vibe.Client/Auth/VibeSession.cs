namespace Vibe.Client;

/// <summary>Who is signed in.</summary>
/// <param name="Did">The person's DID.</param>
/// <param name="Handle">Their handle; empty when it was not allowed.</param>
/// <param name="Name">What they are called: their name, or their handle.</param>
/// <param name="Scopes">What they allowed the app.</param>
/// <param name="IsExpired">The session has ended at the server: they have to sign in again.</param>
public sealed record VibeSession(string Did, string Handle, string Name, IReadOnlyList<string> Scopes, bool IsExpired);
