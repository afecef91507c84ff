using Google.Protobuf;
using Vibe.Rpc.Json;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Bodies between the wire form of <c>google.protobuf.Struct</c>, which messages hold, and the stored JSON.</summary>
internal static class DocumentBody
{
    /// <summary>How long the JSON text of a body may be.</summary>
    public const int MaxJsonBytes = 1024 * 1024;

    // What was accepted once must always come back: numbers are stored in full, so 1e300 has 301 digits now.
    private static readonly StructJsonLimits StoredLimits = new() { MaxDepth = 128, MaxBytes = 64 * 1024 * 1024 };

    /// <summary>Checks a body and writes it as JSON.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static ReadOnlyMemory<byte> ToJson(ByteString wire, string field)
    {
        var json = RequestValues.ToJson(wire, field);
        return json.Length <= MaxJsonBytes ? json : throw DocumentErrors.BodyTooLarge(field);
    }

    /// <summary>Reads stored JSON.</summary>
    public static ByteString ToWire(ReadOnlyMemory<byte> json) => StructJson.ToStruct(json.Span, StoredLimits);
}
