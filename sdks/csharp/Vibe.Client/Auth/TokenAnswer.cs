using System.Text.Json.Nodes;

namespace Vibe.Client.Auth;

/// <summary>The answer of the token endpoint (RFC 6749 section 5.1).</summary>
internal sealed record TokenAnswer(string AccessToken, TimeSpan Life, string Scope, string? RefreshToken, string? IdToken)
{
    public static TokenAnswer Read(JsonObject answer) => new(
        (string?)answer["access_token"] ?? throw VibeException.OfNetwork("The answer of the token endpoint has no token."),
        TimeSpan.FromSeconds((double?)answer["expires_in"] ?? 0),
        (string?)answer["scope"] ?? "",
        (string?)answer["refresh_token"],
        (string?)answer["id_token"]);

    public AccessToken ToAccessToken(DpopKey? key, TimeProvider time) => new(AccessToken, key, Auth.AccessToken.EndOf(Life, time));
}
