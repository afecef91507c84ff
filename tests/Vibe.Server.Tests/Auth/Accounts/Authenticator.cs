using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>
/// An authenticator with one ES256 passkey, and the browser around it: makes what WebAuthn section 6.5.4 and 6.3.3 say. Everything
/// it says can be made wrong.
/// </summary>
internal sealed class Authenticator : IDisposable
{
    private const byte UserPresent = 0x01;
    private const byte UserVerified = 0x04;
    private const byte BackupEligible = 0x08;
    private const byte BackedUp = 0x10;
    private const byte HasCredential = 0x40;

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] _credentialId = RandomNumberGenerator.GetBytes(32);

    /// <summary>The page's origin, as the browser tells it.</summary>
    public string Origin { get; set; } = ApiServer.Issuer;

    /// <summary>The site it believes to be on.</summary>
    public string RelyingParty { get; set; } = "vibe.localhost";

    /// <summary>Whether the page is a frame in another one.</summary>
    public bool IsCrossOrigin { get; set; }

    /// <summary>Whether the person was verified.</summary>
    public bool Verifies { get; set; } = true;

    /// <summary>Whether the passkey is synchronised.</summary>
    public bool IsSynced { get; set; }

    /// <summary>The counter; grows with each use while it is not 0.</summary>
    public uint Counter { get; set; } = 1;

    /// <summary>Takes the place of the challenge that was given.</summary>
    public string? Challenge { get; set; }

    /// <summary>The user handle it was given when it was made.</summary>
    public string UserHandle { get; set; } = "";

    public string CredentialId => Base64Url.EncodeToString(_credentialId);

    /// <summary>Answers creation options: the body that the page sends.</summary>
    public string Create(JsonNode started, string? name = null)
    {
        var options = started["options"]!;
        UserHandle = (string)options["user"]!["id"]!;
        var body = new JsonObject
        {
            ["challengeId"] = (string)started["challengeId"]!,
            ["credential"] = Credential(new JsonObject
            {
                ["clientDataJSON"] = Encode(ClientData("webauthn.create", options)),
                ["attestationObject"] = Encode(Attestation()),
                ["transports"] = new JsonArray("internal"),
            }),
        };
        if (name is not null)
        {
            body["name"] = name;
        }

        return body.ToJsonString();
    }

    /// <summary>Answers request options: the body that the page sends.</summary>
    public string Get(JsonNode started)
    {
        if (Counter > 0)
        {
            Counter++;
        }

        var clientData = ClientData("webauthn.get", started["options"]!);
        var data = AuthenticatorData(0);
        return new JsonObject
        {
            ["challengeId"] = (string)started["challengeId"]!,
            ["credential"] = Credential(new JsonObject
            {
                ["clientDataJSON"] = Encode(clientData),
                ["authenticatorData"] = Encode(data),
                ["signature"] = Encode(_key.SignData(
                    [.. data, .. SHA256.HashData(clientData)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
                ["userHandle"] = UserHandle,
            }),
        }.ToJsonString();
    }

    public void Dispose() => _key.Dispose();

    private JsonObject Credential(JsonObject response) => new()
    {
        ["id"] = CredentialId,
        ["rawId"] = CredentialId,
        ["type"] = "public-key",
        ["authenticatorAttachment"] = "platform",
        ["clientExtensionResults"] = new JsonObject(),
        ["response"] = response,
    };

    private byte[] ClientData(string type, JsonNode options) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["type"] = type,
        ["challenge"] = Challenge ?? (string)options["challenge"]!,
        ["origin"] = Origin,
        ["crossOrigin"] = IsCrossOrigin,
    }.ToJsonString());

    private byte[] AuthenticatorData(byte more)
    {
        var flags = (byte)(UserPresent | more | (Verifies ? UserVerified : 0) | (IsSynced ? BackupEligible | BackedUp : 0));
        var counter = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(counter, Counter);
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(RelyingParty)), flags, .. counter];
    }

    // CBOR (RFC 8949) of {"fmt": "none", "attStmt": {}, "authData": …}.
    private byte[] Attestation()
    {
        var point = _key.ExportParameters(includePrivateParameters: false).Q;

        // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
        byte[] publicKey = [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20, .. point.X!, 0x22, 0x58, 0x20, .. point.Y!];
        byte[] data = [.. AuthenticatorData(HasCredential), .. new byte[16], 0x00, (byte)_credentialId.Length, .. _credentialId, .. publicKey];
        return
        [
            0xA3, 0x63, .. "fmt"u8, 0x64, .. "none"u8, 0x67, .. "attStmt"u8, 0xA0, 0x68, .. "authData"u8,
            0x58, (byte)data.Length, .. data,
        ];
    }

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
