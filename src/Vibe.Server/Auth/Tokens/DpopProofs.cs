using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Vibe.Server.Auth.Tokens;

/// <summary>
/// Proofs that the sender of a request holds a key (RFC 9449). Thread-safe.
/// </summary>
/// <remarks>
/// Whether a proof was seen is remembered by each node for itself. Asking the database would add a write to every call; what a
/// second node could be shown again is bound to one method, address and token, is good for a minute, and gets nothing new where
/// tokens are issued, because codes, refresh tokens and assertions work once in the database.
/// </remarks>
internal sealed class DpopProofs(TimeProvider time)
{
    /// <summary>How old a proof may be.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(60);

    /// <summary>How far a client's clock may be ahead.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    /// <summary>The algorithms, as discovery names them.</summary>
    public static readonly IReadOnlyList<string> Algorithms = ["ES256", "RS256"];

    private const int MostKeys = 10_000;

    private readonly ConcurrentDictionary<UInt128, VerificationKey> _keys = new();
    private readonly Lock _turn = new();
    private volatile Seen _young = new(new(), DateTimeOffset.MinValue);
    private volatile Seen _old = new(new(), DateTimeOffset.MinValue);

    /// <summary>Checks a proof.</summary>
    /// <param name="proof">The header DPoP.</param>
    /// <param name="method">The method of the request.</param>
    /// <param name="url">Its address; query and fragment do not count.</param>
    /// <param name="accessToken">The token that comes with it, null where tokens are issued.</param>
    /// <returns>The key's thumbprint; null when the proof is not good.</returns>
    public string? Verify(string proof, string method, string url, string? accessToken)
    {
        using var jws = Jws.Parse(proof);
        if (jws?.HeaderText("typ") != "dpop+jwt" || !jws.Header.TryGetProperty("jwk", out var jwk)
            || jws.ClaimText("htm") != method || !IsSameAddress(jws.ClaimText("htu"), url)
            || jws.ClaimTime("iat") is not { } issued || jws.ClaimText("jti") is not { Length: > 0 and <= 256 } id
            || (accessToken is not null && jws.ClaimText("ath") != HashOf(accessToken)))
        {
            return null;
        }

        var now = time.GetUtcNow();
        return issued > now - Life && issued <= now + Skew && KeyOf(jwk) is { } key && jws.IsSignedBy(key) && IsNew(key, id, now)
            ? key.Thumbprint
            : null;
    }

    // Importing a key costs more than checking a signature with it; a client sends the same one every time.
    private VerificationKey? KeyOf(JsonElement jwk)
    {
        var hash = Hash128(JsonMarshal.GetRawUtf8Value(jwk));
        if (_keys.TryGetValue(hash, out var known))
        {
            return known;
        }

        if (VerificationKey.FromJwk(jwk) is not { } key)
        {
            return null;
        }

        if (_keys.Count >= MostKeys)
        {
            _keys.Clear();
        }

        return _keys[hash] = key;
    }

    private bool IsNew(VerificationKey key, string id, DateTimeOffset now)
    {
        // Two generations, each as long as a proof is good: what is in neither is too old to be accepted.
        if (now - _young.Start >= Life + Skew)
        {
            lock (_turn)
            {
                if (now - _young.Start >= Life + Skew)
                {
                    _old = _young;
                    _young = new Seen(new ConcurrentDictionary<UInt128, bool>(), now);
                }
            }
        }

        var hash = Hash128(Encoding.UTF8.GetBytes($"{key.Thumbprint}\n{id}"));
        return !_old.Ids.ContainsKey(hash) && _young.Ids.TryAdd(hash, true);
    }

    // RFC 9449 section 4.3: without query and fragment, after the normalisation of RFC 3986.
    private static bool IsSameAddress(string? claimed, string actual) =>
        Uri.TryCreate(claimed, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0
        && uri.GetLeftPart(UriPartial.Path) == new Uri(actual).GetLeftPart(UriPartial.Path);

    private static string HashOf(string accessToken) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)));

    private static UInt128 Hash128(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return MemoryMarshal.Read<UInt128>(hash);
    }

    private sealed record Seen(ConcurrentDictionary<UInt128, bool> Ids, DateTimeOffset Start);
}
