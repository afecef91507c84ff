using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.OAuth;

/// <summary>An ID token of ours that an app hands back to say whom it means. It may have expired.</summary>
/// <param name="Did">Whom it was made for.</param>
/// <param name="Client">The app it was made for.</param>
internal sealed record IdTokenHint(string Did, string Client)
{
    /// <summary>Reads one; null when it is not ours.</summary>
    public static IdTokenHint? Read(string token, SigningKeys keys, AuthOptions options)
    {
        using var jws = Jws.Parse(token);
        return jws?.HeaderText("typ") == "JWT" && jws.HeaderText("kid") is { } id && keys.Find(id) is { } key && jws.IsSignedBy(key.Public)
            && jws.ClaimText("iss") == options.Issuer && jws.ClaimText("sub") is { } did && jws.ClaimText("aud") is { } client
            ? new IdTokenHint(did, client)
            : null;
    }
}
