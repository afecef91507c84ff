using System.Buffers;

namespace Vibe.Rpc.Wire;

/// <summary>Reads a sequence as a stream, which is what the decompressor takes.</summary>
internal sealed class SequenceStream(ReadOnlySequence<byte> sequence) : OneWayStream
{
    private ReadOnlySequence<byte> _rest = sequence;

    public override bool CanRead => true;

    public override int Read(Span<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, _rest.Length);
        _rest.Slice(0, count).CopyTo(buffer);
        _rest = _rest.Slice(count);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
}

/// <summary>Writes a stream to a buffer writer, which is where the compressor's output goes.</summary>
internal sealed class BufferWriterStream(IBufferWriter<byte> writer) : OneWayStream
{
    public override bool CanWrite => true;

    public override void Write(ReadOnlySpan<byte> buffer) => writer.Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => writer.Write(buffer.AsSpan(offset, count));
}
