using System.Text.Json;
using System.Text.RegularExpressions;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.Identity;

/// <summary>Finds the keys of DIDs: our own in the tables, others' where did:web says.</summary>
internal sealed partial class DidResolver(DidDocuments documents, GuardedFetcher fetcher, AuthOptions options)
{
    private const int MaxDocumentBytes = 64 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>A key that the DID lets sign certificates; null when there is none of that name, or no document.</summary>
    /// <param name="did">The DID.</param>
    /// <param name="keyId">The key: <c>did:…#name</c>, of this DID and no other.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<VerificationKey?> FindAssertionKeyAsync(string did, string keyId, CancellationToken cancellationToken)
    {
        if (!keyId.StartsWith($"{did}#", StringComparison.Ordinal) || await FindAsync(did, cancellationToken) is not { } json)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return KeyOf(document.RootElement, did, keyId);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Where the document of a did:web is; null for what is none.</summary>
    public static Uri? AddressOf(string did)
    {
        if (did.Length > 512 || !DidWeb.IsMatch(did))
        {
            return null;
        }

        var parts = did["did:web:".Length..].Split(':');
        var host = parts[0].Replace("%3A", ":", StringComparison.OrdinalIgnoreCase);
        var path = parts.Length == 1 ? "/.well-known" : $"/{string.Join('/', parts[1..])}";
        if (parts.Any(static part => part is "." or "..") || !Uri.TryCreate($"https://{host}{path}/did.json", UriKind.Absolute, out var address))
        {
            return null;
        }

        return address.Host.EndsWith(".localhost", StringComparison.Ordinal) ? new UriBuilder(address) { Scheme = "http", Port = address.Port == 443 ? 80 : address.Port }.Uri : address;
    }

    private async Task<byte[]?> FindAsync(string did, CancellationToken cancellationToken)
    {
        if (LocalPartsOf(did) is { } local)
        {
            return await documents.FindAsync(local.Kind, local.Id, cancellationToken) is { } text ? System.Text.Encoding.UTF8.GetBytes(text) : null;
        }

        return AddressOf(did) is { } address ? await fetcher.FetchAsync(address, MaxDocumentBytes, cancellationToken) : null;
    }

    private (string Kind, Guid Id)? LocalPartsOf(string did)
    {
        foreach (var kind in (string[])["users", "apps"])
        {
            var prefix = options.DidOf(kind, Guid.Empty)[..^32];
            if (did.StartsWith(prefix, StringComparison.Ordinal) && Guid.TryParseExact(did[prefix.Length..], "N", out var id))
            {
                return (kind, id);
            }
        }

        return null;
    }

    // A document speaks for its own DID only, and a key signs certificates only when the document says so.
    private static VerificationKey? KeyOf(JsonElement document, string did, string keyId)
    {
        if (document.GetProperty("id").GetString() != did
            || !document.TryGetProperty("assertionMethod", out var allowed)
            || !allowed.EnumerateArray().Any(method => method.ValueKind == JsonValueKind.String && IsNamed(method.GetString()!))
            || !document.TryGetProperty("verificationMethod", out var methods))
        {
            return null;
        }

        foreach (var method in methods.EnumerateArray())
        {
            if (method.TryGetProperty("id", out var id) && IsNamed(id.GetString()!) && method.TryGetProperty("controller", out var controller)
                && controller.GetString() == did && method.TryGetProperty("publicKeyJwk", out var jwk))
            {
                return VerificationKey.FromJwk(jwk);
            }
        }

        return null;

        // A document may leave out its own DID (DID Core section 3.2.2).
        bool IsNamed(string name) => name == keyId || (name.StartsWith('#') && did + name == keyId);
    }

    // The method's host is a DNS name, perhaps with a port; what follows are segments of a path.
    [GeneratedRegex(@"^did:web:([A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*(%3[Aa][0-9]{1,5})?(:[A-Za-z0-9._-]+)*\z", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex DidWeb { get; }
}
