using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Google.Rpc;
using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Rpc;

namespace Vibe.Server.Kernel;

/// <summary>
/// Opaque tokens that say where the next page of a list begins (AIP-158). A token is good for one caller and one query
/// and for three days; it says where to go on, never what may be read. Thread-safe.
/// </summary>
/// <param name="key">The secret that all nodes share.</param>
/// <param name="clock">The clock.</param>
internal sealed class PageTokens(byte[] key, TimeProvider clock)
{
    /// <summary>How long a token is good.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(3);

    private const byte Version = 1;
    private const int HeaderBytes = 1 + sizeof(long);

    // Keeps the tokens apart from all else that is signed with the same key.
    private static readonly byte[] Purpose = "vibe page token"u8.ToArray();

    /// <summary>A URL-safe token for the page after a place.</summary>
    /// <param name="query">What the token is good for.</param>
    /// <param name="place">Where the page begins; what it means is the feature's own.</param>
    public string Issue(PageQuery query, ReadOnlySpan<byte> place)
    {
        var token = new byte[HeaderBytes + place.Length + HMACSHA256.HashSizeInBytes];
        token[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(token.AsSpan(1), (clock.GetUtcNow() + Lifetime).ToUnixTimeSeconds());
        place.CopyTo(token.AsSpan(HeaderBytes));
        Sign(query, token.AsSpan(..^HMACSHA256.HashSizeInBytes), token.AsSpan(^HMACSHA256.HashSizeInBytes..));
        return Base64Url.EncodeToString(token);
    }

    /// <summary>The place that was put into a token.</summary>
    /// <exception cref="RpcException">PAGE_TOKEN_INVALID: changed, expired, or of another query or caller.</exception>
    public byte[] Open(PageQuery query, string token)
    {
        byte[] bytes;
        try
        {
            bytes = Base64Url.DecodeFromChars(token);
        }
        catch (FormatException)
        {
            throw Invalid();
        }

        // Two texts may decode to the same bytes; only one of them was issued.
        if (bytes.Length < HeaderBytes + HMACSHA256.HashSizeInBytes || bytes[0] != Version || Base64Url.EncodeToString(bytes) != token)
        {
            throw Invalid();
        }

        var body = bytes.AsSpan(..^HMACSHA256.HashSizeInBytes);
        Span<byte> signature = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Sign(query, body, signature);
        return CryptographicOperations.FixedTimeEquals(signature, bytes.AsSpan(^HMACSHA256.HashSizeInBytes..))
            && BinaryPrimitives.ReadInt64BigEndian(body[1..]) > clock.GetUtcNow().ToUnixTimeSeconds()
                ? body[HeaderBytes..].ToArray()
                : throw Invalid();
    }

    private void Sign(PageQuery query, ReadOnlySpan<byte> body, Span<byte> signature)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        mac.AppendData(Purpose);
        mac.AppendData(query.Hash);
        mac.AppendData(body);
        mac.GetHashAndReset(signature);
    }

    private static RpcException Invalid() => VibeError.Create(
        StatusCode.InvalidArgument,
        ErrorReason.PageTokenInvalid,
        "The page token is broken, expired, or belongs to another query or caller. Start over without it.",
        [],
        new BadRequest { FieldViolations = { RpcErrors.Violation("pageToken", "is not a token of this query and caller") } });
}

/// <summary>
/// What a page token is good for: a caller, a method, and everything that decides which items come in which order. Only
/// a hash: the token does not grow with the query, and does not show it.
/// </summary>
internal sealed class PageQuery
{
    /// <summary>A query of a caller.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="method">The method.</param>
    /// <param name="parts">Collection, scope, canonical filter, order and the like; not the size of the page, nor what is shown of an item.</param>
    public PageQuery(Caller caller, string method, params ReadOnlySpan<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, method);
        Append(hash, caller.Did);
        Append(hash, caller.App);
        foreach (var principal in caller.Principals.Order(StringComparer.Ordinal))
        {
            Append(hash, principal);
        }

        Append(hash, null);
        foreach (var part in parts)
        {
            Append(hash, part);
        }

        Hash = hash.GetHashAndReset();
    }

    /// <summary>SHA-256 over all of it.</summary>
    public byte[] Hash { get; }

    // With its length before it, so that no two lists of strings look alike; null is not the empty string.
    private static void Append(IncrementalHash hash, string? text)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, text is null ? -1 : Encoding.UTF8.GetByteCount(text));
        hash.AppendData(length);
        hash.AppendData(Encoding.UTF8.GetBytes(text ?? ""));
    }
}
