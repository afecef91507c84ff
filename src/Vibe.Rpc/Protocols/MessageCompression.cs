using System.Buffers;
using System.IO.Compression;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>Compression as a call sees it: failures are statuses.</summary>
internal static class MessageCompression
{
    /// <summary>Inflates a message that may hold <paramref name="limit"/> bytes.</summary>
    public static void Inflate(in ReadOnlySequence<byte> compressed, int limit, IBufferWriter<byte> output)
    {
        switch (Gzip.Inflate(compressed, limit, output))
        {
            case InflateResult.TooLarge:
                throw WireErrors.MessageTooLarge(limit);
            case InflateResult.Corrupt:
                throw WireErrors.MalformedFraming("A message is no valid gzip.");
            default:
                return;
        }
    }

    /// <summary>Compresses a message.</summary>
    public static void Deflate(ReadOnlySpan<byte> message, CompressionLevel? level, IBufferWriter<byte> output)
    {
        using var deflater = new GZipStream(new BufferWriterStream(output), level ?? CompressionLevel.Fastest);
        deflater.Write(message);
    }
}
