using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vibe.Server.Auth.Tokens;

/// <summary>
/// The public half of a key: ES256 on P-256 or RS256 with at least 2048 bits. Thread-safe.
/// </summary>
internal sealed class VerificationKey
{
    private const int FewestRsaBits = 2048;
    private const int MostRsaBits = 8192;

    private readonly ECDsa? _curve;
    private readonly RSA? _rsa;

    /// <summary>A P-256 key.</summary>
    public VerificationKey(ECDsa curve)
    {
        _curve = curve;
        var point = curve.ExportParameters(includePrivateParameters: false).Q;
        (Algorithm, X, Y) = ("ES256", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        Thumbprint = ThumbprintOf($$"""{"crv":"P-256","kty":"EC","x":"{{X}}","y":"{{Y}}"}""");
    }

    /// <summary>An RSA key.</summary>
    public VerificationKey(RSA rsa)
    {
        _rsa = rsa;
        var parameters = rsa.ExportParameters(includePrivateParameters: false);
        (Algorithm, N, E) = ("RS256", Base64Url.EncodeToString(parameters.Modulus), Base64Url.EncodeToString(parameters.Exponent));
        Thumbprint = ThumbprintOf($$"""{"e":"{{E}}","kty":"RSA","n":"{{N}}"}""");
    }

    /// <summary>ES256 or RS256.</summary>
    public string Algorithm { get; }

    /// <summary>RFC 7638.</summary>
    public string Thumbprint { get; }

    private string? X { get; }

    private string? Y { get; }

    private string? N { get; }

    private string? E { get; }

    /// <summary>Whether the signature is this key's. An ES256 signature is r and s, 32 bytes each, and never DER.</summary>
    public bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature) => _curve is not null
        ? signature.Length == 64 && _curve.VerifyData(signed, signature, HashAlgorithmName.SHA256)
        : _rsa!.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    /// <summary>The key as a JWK (RFC 7517) with its use.</summary>
    public JsonObject ToJwk() => _curve is not null
        ? new() { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = X, ["y"] = Y, ["kid"] = Thumbprint, ["alg"] = Algorithm, ["use"] = "sig" }
        : new() { ["kty"] = "RSA", ["n"] = N, ["e"] = E, ["kid"] = Thumbprint, ["alg"] = Algorithm, ["use"] = "sig" };

    /// <summary>Reads a public JWK. Null for one with a private half, a shared secret, another curve, or too weak a key.</summary>
    public static VerificationKey? FromJwk(JsonElement jwk)
    {
        if (jwk.ValueKind != JsonValueKind.Object || jwk.TryGetProperty("d", out _) || jwk.TryGetProperty("k", out _))
        {
            return null;
        }

        try
        {
            return (Text("kty"), Text("crv")) switch
            {
                ("EC", "P-256") => new(ECDsa.Create(new ECParameters
                {
                    Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Bytes("x"), Y = Bytes("y") },
                })),
                ("RSA", null) when Bytes("n") is { Length: >= FewestRsaBits / 8 and <= MostRsaBits / 8 } modulus && Bytes("e") is { Length: <= 8 } exponent =>
                    new(RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent })),
                _ => null,
            };
        }
        catch (Exception exception) when (exception is FormatException or CryptographicException or InvalidOperationException)
        {
            return null;
        }

        string? Text(string name) => jwk.TryGetProperty(name, out var value) ? value.GetString() : null;
        byte[] Bytes(string name) => Base64Url.DecodeFromChars(Text(name) ?? throw new FormatException());
    }

    // SHA-256 over the required members of the JWK, in order of name, without white space.
    private static string ThumbprintOf(string jwk) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(jwk)));
}
