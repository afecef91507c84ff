using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Vibe.Rpc.Wire;

/// <summary>How inflating a message ended.</summary>
internal enum InflateResult
{
    /// <summary>The whole message is in the output.</summary>
    Done,

    /// <summary>The message is larger than the limit; the output holds no more than the limit.</summary>
    TooLarge,

    /// <summary>The bytes are no gzip stream, are cut short, or fail their checksum.</summary>
    Corrupt,
}

/// <summary>The only compression that every client of gRPC and Connect knows.</summary>
internal static class Gzip
{
    /// <summary>The encoding's name in headers.</summary>
    public const string Name = "gzip";

    private const int MinChunk = 4096;

    // RFC 1952: ten bytes of header, two bytes for an empty block, and eight bytes of trailer. GZipStream writes nothing at all for
    // no input, which other decompressors refuse.
    private static ReadOnlySpan<byte> EmptyMember => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>
    /// Inflates a message, counting while it grows: a few kilobytes can hold gigabytes of zeros.
    /// No bytes at all inflate to none, as connect-go and gRPC treat an empty message with the compressed flag.
    /// </summary>
    /// <param name="compressed">The message as it arrived.</param>
    /// <param name="limit">The most bytes it may inflate to.</param>
    /// <param name="output">Takes the message.</param>
    public static InflateResult Inflate(in ReadOnlySequence<byte> compressed, int limit, IBufferWriter<byte> output)
    {
        if (compressed.IsEmpty)
        {
            return InflateResult.Done;
        }

        using var source = new SequenceStream(compressed);
        using var inflater = new GZipStream(source, CompressionMode.Decompress);
        var left = limit;
        try
        {
            while (true)
            {
                var span = output.GetSpan(MinChunk);

                // One byte more than allowed tells "exactly the limit" from "more".
                span = span[..(int)Math.Min(span.Length, left + 1L)];
                var read = inflater.Read(span);
                if (read == 0)
                {
                    return EndsWithLength(compressed, limit - left) ? InflateResult.Done : InflateResult.Corrupt;
                }

                if (read > left)
                {
                    return InflateResult.TooLarge;
                }

                output.Advance(read);
                left -= read;
            }
        }
        catch (InvalidDataException)
        {
            return InflateResult.Corrupt;
        }
    }

    /// <summary>Compresses a message, choosing speed.</summary>
    public static void Deflate(in ReadOnlySequence<byte> message, IBufferWriter<byte> output)
    {
        if (message.IsEmpty)
        {
            output.Write(EmptyMember);
            return;
        }

        using var deflater = new GZipStream(new BufferWriterStream(output), CompressionLevel.Fastest);
        foreach (var segment in message)
        {
            deflater.Write(segment.Span);
        }
    }

    /// <inheritdoc cref="Deflate(in ReadOnlySequence{byte}, IBufferWriter{byte})"/>
    public static void Deflate(ReadOnlySpan<byte> message, IBufferWriter<byte> output)
    {
        if (message.IsEmpty)
        {
            output.Write(EmptyMember);
            return;
        }

        using var deflater = new GZipStream(new BufferWriterStream(output), CompressionLevel.Fastest);
        deflater.Write(message);
    }

    /// <summary>Whether a header such as <c>grpc-accept-encoding: identity,gzip;q=0.5</c> allows gzip.</summary>
    public static bool IsAccepted(ReadOnlySpan<char> acceptEncoding)
    {
        foreach (var part in acceptEncoding.Split(','))
        {
            var item = acceptEncoding[part];
            var semicolon = item.IndexOf(';');
            var name = (semicolon < 0 ? item : item[..semicolon]).Trim();
            if (name.Equals(Name, StringComparison.OrdinalIgnoreCase))
            {
                return semicolon < 0 || !IsZeroQuality(item[(semicolon + 1)..]);
            }
        }

        return false;
    }

    /// <summary>
    /// Whether the stream ends with the length that came out of it. GZipStream takes a stream that is cut short for a whole one
    /// (unless a process-wide switch says otherwise), and checks the checksum only of one that is not. A message is one member.
    /// </summary>
    private static bool EndsWithLength(in ReadOnlySequence<byte> compressed, int length)
    {
        if (compressed.Length < EmptyMember.Length)
        {
            return false;
        }

        Span<byte> trailer = stackalloc byte[sizeof(uint)];
        compressed.Slice(compressed.Length - trailer.Length).CopyTo(trailer);
        return BinaryPrimitives.ReadUInt32LittleEndian(trailer) == (uint)length;
    }

    private static bool IsZeroQuality(ReadOnlySpan<char> parameters)
    {
        parameters = parameters.Trim();
        return parameters.StartsWith("q=0", StringComparison.OrdinalIgnoreCase) && parameters[3..].TrimEnd('0') is "" or ".";
    }
}
