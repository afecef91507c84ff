using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Vibe.Postgres.Replication;

namespace Vibe.Server.Kernel;

/// <summary>A write, as a token names it.</summary>
/// <param name="Epoch">A hash of the epoch that the transaction belongs to.</param>
/// <param name="Transaction">The transaction.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct WritePoint(ulong Epoch, ulong Transaction)
{
    /// <summary>A transaction of an epoch.</summary>
    public static WritePoint Of(FeedEpoch epoch, ulong transaction) => new(HashOf(epoch), transaction);

    /// <summary>Whether the transaction belongs to the epoch.</summary>
    public bool IsOf(FeedEpoch epoch) => Epoch == HashOf(epoch);

    private static ulong HashOf(FeedEpoch epoch)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(epoch.Text), hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}

/// <summary>
/// Opaque, signed tokens that stand for a write. Whoever has one may ask reads to be at least as fresh; it grants nothing, and
/// may be handed on to others (docs/decisions/0008-consistency-token.md). Thread-safe.
/// </summary>
/// <param name="key">The secret that all nodes share.</param>
internal sealed class ConsistencyTokens(byte[] key)
{
    /// <summary>The header that carries a token: of the answer to a write, and of a request to read.</summary>
    public const string Header = "vibe-consistency-token";

    private const byte Version = 1;
    private const int SignatureBytes = 16;
    private const int BodyBytes = 1 + (2 * sizeof(ulong));
    private const int TokenBytes = BodyBytes + SignatureBytes;

    /// <summary>The token of a write.</summary>
    public string Issue(WritePoint point)
    {
        Span<byte> token = stackalloc byte[TokenBytes];
        token[0] = Version;
        BinaryPrimitives.WriteUInt64BigEndian(token[1..], point.Epoch);
        BinaryPrimitives.WriteUInt64BigEndian(token[(1 + sizeof(ulong))..], point.Transaction);
        Sign(token[..BodyBytes], token[BodyBytes..]);
        return Base64Url.EncodeToString(token);
    }

    /// <summary>The write that a token stands for.</summary>
    /// <returns>False when this server never issued it.</returns>
    public bool TryOpen(string token, [NotNullWhen(true)] out WritePoint? point)
    {
        point = null;
        Span<byte> bytes = stackalloc byte[TokenBytes];
        if (token.Length != Base64Url.GetEncodedLength(TokenBytes)
            || Base64Url.DecodeFromChars(token, bytes, out _, out var length) != OperationStatus.Done || length != TokenBytes || bytes[0] != Version)
        {
            return false;
        }

        Span<byte> signature = stackalloc byte[SignatureBytes];
        Sign(bytes[..BodyBytes], signature);
        if (!CryptographicOperations.FixedTimeEquals(signature, bytes[BodyBytes..]))
        {
            return false;
        }

        point = new WritePoint(
            BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]), BinaryPrimitives.ReadUInt64BigEndian(bytes[(1 + sizeof(ulong))..]));
        return true;
    }

    private void Sign(ReadOnlySpan<byte> body, Span<byte> signature)
    {
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, body, whole);
        whole[..SignatureBytes].CopyTo(signature);
    }
}
