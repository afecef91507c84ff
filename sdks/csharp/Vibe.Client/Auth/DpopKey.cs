using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Vibe.Client.Auth;

/// <summary>A P-256 key that tokens are bound to (RFC 9449). Thread-safe.</summary>
internal sealed class DpopKey
{
    private readonly ECDsa _key;
    private readonly Lock _lock = new();
    private readonly string _x;
    private readonly string _y;

    public DpopKey(byte[]? privateKey = null)
    {
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (privateKey is not null)
        {
            _key.ImportPkcs8PrivateKey(privateKey, out _);
        }

        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        (_x, _y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
    }

    /// <summary>The private half, to keep it with a session.</summary>
    public byte[] Export() => _key.ExportPkcs8PrivateKey();

    /// <summary>A proof for one request; each is good once.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="url">The address, as the server names itself.</param>
    /// <param name="now">The time, by the server's clock as far as it is known.</param>
    /// <param name="accessToken">The token sent along; null where tokens are asked for.</param>
    public string Prove(string method, string url, DateTimeOffset now, string? accessToken = null)
    {
        var header = new JsonObject
        {
            ["typ"] = "dpop+jwt", ["alg"] = "ES256",
            ["jwk"] = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = _x, ["y"] = _y },
        };
        var claims = new JsonObject
        {
            ["jti"] = Guid.NewGuid().ToString("N"), ["htm"] = method, ["htu"] = url, ["iat"] = now.ToUnixTimeSeconds(),
        };
        if (accessToken is not null)
        {
            claims["ath"] = JwtWriter.HashOf(accessToken);
        }

        // An instance of ECDsa is not made for several threads.
        lock (_lock)
        {
            return JwtWriter.Sign(header, claims, _key);
        }
    }
}
