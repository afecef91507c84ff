using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Vibe.Client.Auth;

/// <summary>What an assertion is about.</summary>
internal readonly record struct AssertionContext(string App, string Issuer, DateTimeOffset Now);

/// <summary>An app's proof by signature (RFC 7523 section 3).</summary>
internal static class ClientAssertion
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(2);

    public static KeyValuePair<string, string>[] Parameters(AsymmetricAlgorithm key, AssertionContext context)
    {
        var header = new JsonObject { ["typ"] = "JWT", ["alg"] = key is RSA ? "RS256" : "ES256" };
        var claims = new JsonObject
        {
            ["iss"] = context.App, ["sub"] = context.App, ["aud"] = context.Issuer, ["jti"] = Guid.NewGuid().ToString("N"),
            ["iat"] = context.Now.ToUnixTimeSeconds(), ["exp"] = (context.Now + Life).ToUnixTimeSeconds(),
        };
        return
        [
            new("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            new("client_assertion", JwtWriter.Sign(header, claims, key)),
        ];
    }
}
