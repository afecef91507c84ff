using System.Security.Cryptography;

namespace Vibe.Server.Auth.Tokens;

/// <summary>What a key is used for at this time of its life.</summary>
internal enum KeyState
{
    /// <summary>Published, so that everybody knows it when it begins to sign.</summary>
    Next,

    /// <summary>Signs.</summary>
    Active,

    /// <summary>Signs no more; what it signed is still alive.</summary>
    Retired,
}

/// <summary>One key of this deployment. Its id is its thumbprint (RFC 7638). Safe to use from several threads at once.</summary>
internal sealed class SigningKey
{
    private readonly ECDsa? _curve;
    private readonly RSA? _rsa;

    /// <summary>An ES256 key.</summary>
    public SigningKey(ECDsa curve, KeyState state, DateTimeOffset stateTime) =>
        (_curve, Public, State, StateTime) = (curve, new VerificationKey(curve), state, stateTime);

    /// <summary>An RS256 key.</summary>
    public SigningKey(RSA rsa, KeyState state, DateTimeOffset stateTime) =>
        (_rsa, Public, State, StateTime) = (rsa, new VerificationKey(rsa), state, stateTime);

    /// <summary>The half that everybody may know.</summary>
    public VerificationKey Public { get; }

    /// <summary>Its thumbprint.</summary>
    public string Id => Public.Thumbprint;

    /// <summary>ES256 or RS256.</summary>
    public string Algorithm => Public.Algorithm;

    /// <summary>Where it is in its life.</summary>
    public KeyState State { get; }

    /// <summary>Since when.</summary>
    public DateTimeOffset StateTime { get; }

    /// <summary>Makes a key.</summary>
    public static SigningKey Create(string algorithm, KeyState state, DateTimeOffset now) => algorithm == "RS256"
        ? new(RSA.Create(2048), state, now)
        : new(ECDsa.Create(ECCurve.NamedCurves.nistP256), state, now);

    /// <summary>Reads a key from PKCS #8.</summary>
    public static SigningKey Read(string algorithm, ReadOnlySpan<byte> pkcs8, KeyState state, DateTimeOffset stateTime)
    {
        if (algorithm == "RS256")
        {
            var rsa = RSA.Create();
            rsa.ImportPkcs8PrivateKey(pkcs8, out _);
            return new(rsa, state, stateTime);
        }

        var curve = ECDsa.Create();
        curve.ImportPkcs8PrivateKey(pkcs8, out _);
        return new(curve, state, stateTime);
    }

    /// <summary>The private half as PKCS #8.</summary>
    public byte[] Export() => _curve is not null ? _curve.ExportPkcs8PrivateKey() : _rsa!.ExportPkcs8PrivateKey();

    /// <summary>Signs in the form JWS wants.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => _curve is not null
        ? _curve.SignData(data, HashAlgorithmName.SHA256)
        : _rsa!.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
}
