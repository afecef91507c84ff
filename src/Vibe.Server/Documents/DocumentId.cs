using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>
/// Ids of documents: a UUID made by the client or the server (RFC 9562, any version but 8), or, for a document with a
/// key, the UUIDv8 derived from owner, collection and key. So nobody can take the id of somebody else's key.
/// </summary>
internal static class DocumentId
{
    private const int KeyBytes = 256;

    /// <summary>A new one, ordered by time.</summary>
    public static Guid Create(TimeProvider time) => Guid.CreateVersion7(time.GetUtcNow());

    /// <summary>The id of the document with a key; the same bytes as <c>vibe.keyed_id</c>.</summary>
    public static Guid OfKey(string owner, string collection, string key)
    {
        var text = Encoding.UTF8.GetBytes($"{owner}\0{collection}\0{key}");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        hash[6] = (byte)((hash[6] & 0x0f) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }

    /// <summary>Whether the id is the kind that derives from a key.</summary>
    public static bool IsKeyed(Guid id) => id.Version == 8;

    /// <summary>Reads an id in lower case.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static Guid Parse(string text, string field) =>
        TryParse(text, out var id) ? id : throw VibeError.InvalidField(field, "is not a UUID in 8-4-4-4-12 form, lower case", "document.id");

    /// <summary>Reads an id in lower case. Versions 1 to 8 and the variant of RFC 9562 only.</summary>
    public static bool TryParse(string text, out Guid id) =>
        Guid.TryParseExact(text, "D", out id) && !text.AsSpan().ContainsAnyInRange('A', 'F')
        && id.Version is >= 1 and <= 8 && id.Variant is >= 8 and <= 11;

    /// <summary>Checks the form of a key: 1 to 256 bytes without control characters.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static string CheckKey(string key, string field)
    {
        if (key.Length == 0 || Encoding.UTF8.GetByteCount(key) > KeyBytes)
        {
            throw VibeError.InvalidField(field, $"has 1 to {KeyBytes} bytes", "document.key");
        }

        return key.Any(char.IsControl) ? throw VibeError.InvalidField(field, "has no control characters", "document.key") : key;
    }

    /// <summary>Checks the form of a collection's name, and notes in the call's span which one it is about.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static string CheckCollection(string collection, string field)
    {
        if (!CollectionName.IsValid(collection))
        {
            throw VibeError.InvalidField(field, "is not of the form ^[a-z][a-z0-9._-]{0,127}$", "document.collection");
        }

        // There is an activity for the log also when nobody traces.
        if (Activity.Current is { } span && span.Source.HasListeners())
        {
            span.SetTag("vibe.collection", collection);
        }

        return collection;
    }
}
