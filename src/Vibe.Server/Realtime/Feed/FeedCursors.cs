using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Vibe.Postgres.Replication;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Feed;

/// <summary>
/// Opaque, signed cursors: a snapshot of the database, the epoch of the feed it belongs to, and whose rights it was seen
/// with. A cursor grants nothing; it says what its holder knows already. Thread-safe.
/// </summary>
/// <param name="key">The secret that all nodes share.</param>
internal sealed class FeedCursors(byte[] key)
{
    private const byte Version = 1;
    private const int HashBytes = 8;
    private const int SignatureBytes = 16;
    private const int HeaderBytes = 1 + (3 * HashBytes);

    /// <summary>A cursor for a caller.</summary>
    public string Issue(FeedEpoch epoch, Caller caller, Snapshot snapshot)
    {
        var text = Encoding.ASCII.GetBytes(snapshot.Text);
        var token = new byte[HeaderBytes + text.Length + SignatureBytes];
        token[0] = Version;
        WriteHeader(token, epoch, caller);
        text.CopyTo(token, HeaderBytes);
        Sign(token);
        return Base64Url.EncodeToString(token);
    }

    /// <summary>What a cursor says.</summary>
    public (CursorState State, Snapshot? Snapshot) Open(FeedEpoch epoch, Caller caller, string cursor)
    {
        byte[] token;
        try
        {
            token = Base64Url.DecodeFromChars(cursor);
        }
        catch (FormatException)
        {
            return (CursorState.Invalid, null);
        }

        // Two texts may decode to the same bytes; only one of them was issued.
        if (token.Length <= HeaderBytes + SignatureBytes || token[0] != Version || Base64Url.EncodeToString(token) != cursor)
        {
            return (CursorState.Invalid, null);
        }

        var signed = token.ToArray();
        Sign(signed);
        if (!CryptographicOperations.FixedTimeEquals(signed, token))
        {
            return (CursorState.Invalid, null);
        }

        Span<byte> header = stackalloc byte[HeaderBytes];
        WriteHeader(header, epoch, caller);
        if (!header.Slice(1, HashBytes).SequenceEqual(token.AsSpan(1, HashBytes)))
        {
            return (CursorState.Expired, null);
        }

        if (!header.Slice(1 + HashBytes, HashBytes).SequenceEqual(token.AsSpan(1 + HashBytes, HashBytes)))
        {
            return (CursorState.Invalid, null);
        }

        return header[(1 + (2 * HashBytes))..].SequenceEqual(token.AsSpan(1 + (2 * HashBytes), HashBytes))
            ? (CursorState.Good, Snapshot.Parse(Encoding.ASCII.GetString(token.AsSpan(HeaderBytes..^SignatureBytes))))
            : (CursorState.Expired, null);
    }

    // Epoch, who, and with which rights: another epoch or other rights have seen something else, another caller must not ask.
    private static void WriteHeader(Span<byte> header, FeedEpoch epoch, Caller caller)
    {
        Hash(header[1..], epoch.Text);
        Hash(header[(1 + HashBytes)..], $"{caller.Did}\n{caller.App}");
        Hash(
            header[(1 + (2 * HashBytes))..],
            $"{string.Join(' ', caller.Principals.Order(StringComparer.Ordinal))}\n{string.Join(' ', caller.Scopes.Read)}\n{string.Join(' ', caller.Privileges.Read)}");
    }

    private static void Hash(Span<byte> target, string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        hash[..HashBytes].CopyTo(target);
    }

    private void Sign(Span<byte> token)
    {
        Span<byte> signature = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, token[..^SignatureBytes], signature);
        signature[..SignatureBytes].CopyTo(token[^SignatureBytes..]);
    }
}

/// <summary>What became of a cursor.</summary>
internal enum CursorState
{
    /// <summary>One can go on from it.</summary>
    Good,

    /// <summary>It was, but the feed or the caller's rights are others now.</summary>
    Expired,

    /// <summary>It never was one of this caller's.</summary>
    Invalid,
}
