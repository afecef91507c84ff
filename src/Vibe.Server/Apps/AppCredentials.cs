using System.Text.Json;
using Google.Protobuf;
using Vibe.Apps.V1;
using Vibe.Rpc.Json;
using Vibe.Server.Apps.Credentials;
using Vibe.Server.Apps.Manifests;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Kernel;

namespace Vibe.Server.Apps;

/// <summary>Makes secrets and takes keys.</summary>
internal sealed class AppCredentials(CredentialStore store, TimeProvider time)
{
    // Scanners for leaked secrets look for a prefix.
    private const string SecretPrefix = "vibe_secret_";

    // RFC 7518 sections 6.2.2, 6.3.2 and 6.4: whoever sends one of these sends a secret.
    private static readonly string[] SecretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    private static readonly StructJsonLimits KeyLimits = new() { MaxDepth = 16 };

    /// <summary>What is kept of them.</summary>
    public CredentialStore Store => store;

    /// <summary>Adds a credential to an app.</summary>
    /// <returns>It, and the secret when it is one; empty for a key.</returns>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public async Task<(CredentialRow Row, string Secret)> AddAsync(
        Caller caller, AppRow app, AppCredential asked, CancellationToken cancellationToken)
    {
        if (app.Manifest.ClientType != ClientType.Confidential)
        {
            throw VibeError.InvalidField("name", "is no app of the type CONFIDENTIAL: it cannot keep a secret", "credential.client_type");
        }

        if (asked.Name.Length > 0 && DisplayNames.ProblemOfText(asked.Name, asked.Name.Length) is { } problem)
        {
            throw VibeError.InvalidField("credential.name", problem, "credential.name");
        }

        var end = RequestValues.ToTime(asked.ExpireTime, "credential.expireTime");
        if (end <= time.GetUtcNow())
        {
            throw VibeError.InvalidField("credential.expireTime", "is over", "credential.expire_time");
        }

        var key = asked.Jwk.IsEmpty ? null : ReadKey(asked.Jwk);
        var secret = key is null ? SecretPrefix + Secret.New() : "";
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var told = AppEvent.Of(caller, "app.credential.create", ("id", id.ToString()), ("kind", key is null ? "secret" : "key"), ("name", asked.Name));
        var row = await store.AddAsync(app.Did, id, asked.Name, key is null ? Secret.Hash(secret) : null, key, end, told, cancellationToken)
            ?? throw VibeError.InvalidField("name", $"has {CredentialStore.MaxPerApp} credentials already: revoke one", "credential.limit");
        return (row, secret);
    }

    private static VerificationKey ReadKey(ByteString jwk)
    {
        using var document = JsonDocument.Parse(RequestValues.ToJson(jwk, "credential.jwk", KeyLimits));
        if (SecretMembers.Any(name => document.RootElement.TryGetProperty(name, out _)))
        {
            throw VibeError.InvalidField(
                "credential.jwk", "holds a private key, which is not safe any more: make a new one and send its public half", "credential.private_key");
        }

        return VerificationKey.FromJwk(document.RootElement)
            ?? throw VibeError.InvalidField("credential.jwk", "is neither an EC key on P-256 nor an RSA key of at least 2048 bits", "credential.jwk");
    }
}
