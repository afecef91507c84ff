using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vibe.Rpc.Json;

/// <summary>
/// Reads the wire form of <c>google.protobuf.Struct</c>, <c>Value</c> and <c>ListValue</c> strictly: no unknown field, nothing given
/// twice, no truncation. Every encoder of these messages writes such bytes.
/// </summary>
internal ref struct StructWire(ReadOnlySpan<byte> wire, int end)
{
    /// <summary>Struct.fields, the key of its entries, ListValue.values.</summary>
    public const byte Field1 = 0x0A;

    /// <summary>The value of an entry of Struct.fields.</summary>
    public const byte EntryValue = 0x12;

    /// <summary>Value.null_value.</summary>
    public const byte Null = 0x08;

    /// <summary>Value.number_value.</summary>
    public const byte Number = 0x11;

    /// <summary>Value.string_value.</summary>
    public const byte String = 0x1A;

    /// <summary>Value.bool_value.</summary>
    public const byte Bool = 0x20;

    /// <summary>Value.struct_value.</summary>
    public const byte Struct = 0x2A;

    /// <summary>Value.list_value.</summary>
    public const byte List = 0x32;

    private readonly ReadOnlySpan<byte> _wire = wire;
    private readonly int _end = end;

    /// <summary>Where the next byte is read.</summary>
    public int Position { get; private set; }

    /// <summary>A part of the bytes.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct Part(int Start, int Length)
    {
        public int End => Start + Length;

        public ReadOnlySpan<byte> In(ReadOnlySpan<byte> wire) => wire.Slice(Start, Length);
    }

    /// <summary>Whether there is more.</summary>
    public readonly bool More => Position < _end;

    /// <summary>Starts in the middle.</summary>
    public static StructWire At(ReadOnlySpan<byte> wire, Part part) => new(wire, part.End) { Position = part.Start };

    /// <summary>Consumes a tag, which takes one byte in all of these messages.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte Tag() => More ? _wire[Position++] : throw Malformed("a field is cut off");

    /// <summary>Consumes a length and the content of that length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Part Content()
    {
        var length = Varint();
        if (length > (ulong)(_end - Position))
        {
            throw Malformed("a length exceeds what follows");
        }

        var part = new Part(Position, (int)length);
        Position += (int)length;
        return part;
    }

    /// <summary>Consumes a varint.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Varint()
    {
        // Nearly every length fits in one byte.
        var bytes = _wire;
        var position = Position;
        if (position < _end && (uint)position < (uint)bytes.Length && bytes[position] <= 0x7F)
        {
            Position = position + 1;
            return bytes[position];
        }

        return LongVarint();
    }

    private ulong LongVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64 && More; shift += 7)
        {
            var next = _wire[Position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next <= 0x7F)
            {
                return value;
            }
        }

        throw Malformed("a number is cut off or too long");
    }

    /// <summary>Consumes a double.</summary>
    public double Double()
    {
        if (_end - Position < 8)
        {
            throw Malformed("a number is cut off");
        }

        var value = BinaryPrimitives.ReadDoubleLittleEndian(_wire[Position..]);
        Position += 8;
        return value;
    }

    /// <summary>Consumes an entry of Struct.fields, without its tag.</summary>
    public (Part Key, Part Value) Entry()
    {
        var entry = At(_wire, Content());
        Position = entry._end;

        // What every encoder writes: key, value, nothing else.
        var usual = entry;
        if (usual.More && usual.Tag() == Field1)
        {
            var usualKey = usual.Content();
            if (usual.More && usual.Tag() == EntryValue)
            {
                var usualValue = usual.Content();
                if (!usual.More)
                {
                    return (usualKey, usualValue);
                }
            }
        }

        return UnusualEntry(entry);
    }

    private static (Part Key, Part Value) UnusualEntry(StructWire entry)
    {
        Part? key = null;
        Part? value = null;
        while (entry.More)
        {
            var tag = entry.Tag();
            if (tag == Field1 && key is null)
            {
                key = entry.Content();
            }
            else if (tag == EntryValue && value is null)
            {
                value = entry.Content();
            }
            else
            {
                throw entry.Malformed("an entry has an unknown field, or one twice");
            }
        }

        // An encoder may leave out the empty key; a value that is left out has no kind.
        return (key ?? new(entry._end, 0), value ?? throw entry.Malformed("an entry has no value"));
    }

    /// <summary>The error to throw.</summary>
    public readonly StructJsonException Malformed(string message) => Fail(JsonErrorReason.MalformedStruct, message);

    /// <summary>The error to throw.</summary>
    public readonly StructJsonException Fail(string reason, string message) =>
        new(reason, message, StructPath.At(_wire, Math.Max(0, Position - 1)));
}
