using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Tests.Core.Wire;

public sealed class EnvelopeTests
{
    [Fact]
    public void A_header_survives_any_split() =>
        Prop.ForAll<byte, int, byte>((flags, length, split) =>
        {
            length = Math.Abs(length == int.MinValue ? 0 : length);
            var header = new byte[Envelope.HeaderSize];
            Envelope.WriteHeader(header, flags, length);
            var sequence = Sequences.Split(header, split % header.Length);
            return Envelope.TryReadHeader(sequence, out var readFlags, out var readLength)
                && readFlags == flags
                && readLength == (uint)length;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Four_bytes_are_no_header() =>
        Assert.False(Envelope.TryReadHeader(new ReadOnlySequence<byte>(new byte[4]), out _, out _));

    [Fact]
    public void A_length_over_two_gigabytes_is_read_as_such()
    {
        Assert.True(Envelope.TryReadHeader(new ReadOnlySequence<byte>([1, 0xFF, 0xFF, 0xFF, 0xFF]), out var flags, out var length));
        Assert.Equal(1, flags);
        Assert.Equal(uint.MaxValue, length);
    }

    [Fact]
    public void The_pooled_buffer_keeps_what_was_written_while_it_grows()
    {
        using var buffer = new PooledBuffer(16);
        var expected = new byte[100_000];
        new Random(7).NextBytes(expected);
        for (var at = 0; at < expected.Length; at += 1000)
        {
            buffer.Write(expected.AsSpan(at, 1000));
        }

        Assert.Equal(expected, buffer.WrittenMemory.ToArray());
        buffer.Clear();
        Assert.Equal(0, buffer.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(int.MaxValue));
    }
}

/// <summary>Sequences of several segments.</summary>
internal static class Sequences
{
    public static ReadOnlySequence<byte> Split(byte[] bytes, int at)
    {
        var first = new Segment(bytes.AsMemory(0, at), 0);
        var last = new Segment(bytes.AsMemory(at), at);
        first.Append(last);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public void Append(Segment next) => Next = next;
    }
}
