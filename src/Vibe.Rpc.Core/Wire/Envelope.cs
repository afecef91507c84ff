using System.Buffers;
using System.Buffers.Binary;

namespace Vibe.Rpc.Wire;

/// <summary>The five bytes before each message of gRPC, gRPC-Web and Connect streams: flags, and the length in big-endian order.</summary>
internal static class Envelope
{
    /// <summary>Bytes of a header.</summary>
    public const int HeaderSize = 5;

    /// <summary>The message is compressed with the encoding that the headers name.</summary>
    public const byte Compressed = 0x01;

    /// <summary>Connect: the message is the JSON that ends the stream.</summary>
    public const byte EndStream = 0x02;

    /// <summary>gRPC-Web: the message holds the trailers.</summary>
    public const byte Trailers = 0x80;

    /// <summary>Writes a header.</summary>
    public static void WriteHeader(Span<byte> destination, byte flags, int length)
    {
        destination[0] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)length);
    }

    /// <summary>Writes a header and advances the writer past it.</summary>
    public static void WriteHeader(IBufferWriter<byte> destination, byte flags, int length)
    {
        WriteHeader(destination.GetSpan(HeaderSize), flags, length);
        destination.Advance(HeaderSize);
    }

    /// <summary>Reads the header at the start of a buffer; false when there are fewer than five bytes.</summary>
    /// <remarks>The length is a peer's word, up to 4 GiB: compare it with the limit before buffering anything.</remarks>
    public static bool TryReadHeader(in ReadOnlySequence<byte> source, out byte flags, out uint length)
    {
        if (source.FirstSpan.Length >= HeaderSize)
        {
            ReadHeader(source.FirstSpan, out flags, out length);
            return true;
        }

        if (source.Length < HeaderSize)
        {
            flags = 0;
            length = 0;
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderSize];
        source.Slice(0, HeaderSize).CopyTo(header);
        ReadHeader(header, out flags, out length);
        return true;
    }

    private static void ReadHeader(ReadOnlySpan<byte> source, out byte flags, out uint length)
    {
        flags = source[0];
        length = BinaryPrimitives.ReadUInt32BigEndian(source[1..]);
    }
}
