using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Vibe.Client.Auth;

/// <summary>Signed tokens (RFC 7515) that this client makes, and the claims of those it gets.</summary>
internal static class JwtWriter
{
    /// <summary>A compact JWS; ES256 or RS256 by the kind of the key.</summary>
    public static string Sign(JsonObject header, JsonObject claims, AsymmetricAlgorithm key)
    {
        var signed = $"{Encode(header)}.{Encode(claims)}";
        var bytes = Encoding.ASCII.GetBytes(signed);
        var signature = key switch
        {
            ECDsa ecdsa => ecdsa.SignData(bytes, HashAlgorithmName.SHA256),
            RSA rsa => rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            _ => throw new ArgumentException("The key is neither ECDsa nor RSA.", nameof(key)),
        };
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>The claims of a token that came straight from the provider, over TLS: its signature need not be checked (OpenID Connect Core 3.1.3.7).</summary>
    /// <exception cref="FormatException">It is no JWT.</exception>
    public static JsonObject ClaimsOf(string token) =>
        token.Split('.') is [_, var claims, _] && JsonNode.Parse(Base64Url.DecodeFromChars(claims)) is JsonObject found
            ? found
            : throw new FormatException("The token is no JWT.");

    /// <summary>256 random bits as text.</summary>
    public static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>The SHA-256 of a text, in base64url.</summary>
    public static string HashOf(string text) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
