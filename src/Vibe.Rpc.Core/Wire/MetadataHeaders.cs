using Grpc.Core;

namespace Vibe.Rpc.Wire;

/// <summary>Names that the protocols use themselves, and the way from header lines to <see cref="Metadata"/>.</summary>
internal static class MetadataHeaders
{
    /// <summary>The code of the status, a number.</summary>
    public const string Status = "grpc-status";

    /// <summary>The text of the status, percent-encoded.</summary>
    public const string Message = "grpc-message";

    /// <summary>A serialized google.rpc.Status.</summary>
    public const string StatusDetails = "grpc-status-details-bin";

    /// <summary>How long the client waits.</summary>
    public const string Timeout = "grpc-timeout";

    /// <summary>How messages of this direction are compressed.</summary>
    public const string Encoding = "grpc-encoding";

    /// <summary>How messages of the other direction may be compressed.</summary>
    public const string AcceptEncoding = "grpc-accept-encoding";

    /// <summary>How often this call was tried before.</summary>
    public const string PreviousAttempts = "grpc-previous-rpc-attempts";

    /// <summary>When the client may try again, in milliseconds; negative or no number means never.</summary>
    public const string RetryPushback = "grpc-retry-pushback-ms";

    /// <summary>Whether a header belongs to the protocol and is no metadata of the call.</summary>
    public static bool IsReserved(string name) => name.Length switch
    {
        0 => true,
        _ when name[0] == ':' => true,
        2 => name.Equals("te", StringComparison.OrdinalIgnoreCase),
        11 => name.Equals(Status, StringComparison.OrdinalIgnoreCase),
        12 => name.Equals(Message, StringComparison.OrdinalIgnoreCase)
            || name.Equals(Timeout, StringComparison.OrdinalIgnoreCase)
            || name.Equals("content-type", StringComparison.OrdinalIgnoreCase),
        13 => name.Equals(Encoding, StringComparison.OrdinalIgnoreCase),
        20 => name.Equals(AcceptEncoding, StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    /// <summary>
    /// Adds a received header line; one line of a <c>-bin</c> name may hold several values.
    /// False when such a value is not base64: nothing is added then.
    /// </summary>
    public static bool TryAdd(Metadata metadata, string name, string value)
    {
        if (!name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
        {
            metadata.Add(Metadata.Entry.Received(name, value));
            return true;
        }

        if (BinaryMetadata.TryDecode(value, out var single))
        {
            metadata.Add(Metadata.Entry.Received(name, single));
            return true;
        }

        var values = new List<byte[]>();
        if (!BinaryMetadata.TryDecodeList(value, values))
        {
            return false;
        }

        foreach (var bytes in values)
        {
            metadata.Add(Metadata.Entry.Received(name, bytes));
        }

        return true;
    }

    /// <summary>An entry's value as it goes over the wire.</summary>
    public static string WireValue(Metadata.Entry entry) => entry.IsBinary ? BinaryMetadata.Encode(entry.Bytes) : entry.Value;
}
