using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Vibe.Rpc.Json;

/// <summary>Builds the wire form of a <c>google.protobuf.Struct</c> whose containers get their lengths at the end.</summary>
/// <remarks>
/// The length of a container stands before its content, but is known after it. Containers therefore leave no room: their content goes
/// to a scratch buffer, a <see cref="Header"/> remembers where tags and lengths belong, and one copy at the end puts them in. Patching
/// lengths in place would move the content once per level: quadratic for input that is both deep and big.
/// </remarks>
internal struct StructBuffer(int sizeHint)
{
    private byte[] _scratch = ArrayPool<byte>.Shared.Rent(Math.Max(256, sizeHint));
    private Header[] _headers = ArrayPool<Header>.Shared.Rent(32);
    private int _used;
    private int _inserted;
    private int _containers;

    /// <summary>The length so far, of closed containers.</summary>
    public readonly int Length => _used + _inserted;

    /// <summary>What was written, without the headers; keys are looked up here.</summary>
    public readonly ReadOnlySpan<byte> Scratch => _scratch.AsSpan(0, _used);

    /// <summary>How many bytes a length takes.</summary>
    public static int VarintSize(int value) => (BitOperations.Log2((uint)value | 1) / 7) + 1;

    /// <summary>Writes all but the content of a scalar: the tags and lengths of its entry and value, and its key.</summary>
    /// <param name="key">Its key, when it is a member.</param>
    /// <param name="isMember">Whether the value belongs to an object.</param>
    /// <param name="length">The length of the value, its tag included.</param>
    /// <returns>Where the key lies in <see cref="Scratch"/>.</returns>
    public KeyStack.Key Scalar(ReadOnlySpan<byte> key, bool isMember, int length)
    {
        Ensure(key.Length + length + 32);
        var keyStart = 0;
        if (isMember)
        {
            _scratch[_used++] = StructWire.Field1;
            Varint(1 + VarintSize(key.Length) + key.Length + 1 + VarintSize(length) + length);
            keyStart = Key(key);
            _scratch[_used++] = StructWire.EntryValue;
        }
        else
        {
            _scratch[_used++] = StructWire.Field1;
        }

        Varint(length);
        return new(keyStart, key.Length);
    }

    /// <summary>Writes a tag and a byte: null or a boolean.</summary>
    public void Tag(byte tag, byte value)
    {
        _scratch[_used++] = tag;
        _scratch[_used++] = value;
    }

    /// <summary>Writes a number.</summary>
    public void Number(double value)
    {
        _scratch[_used] = StructWire.Number;
        BinaryPrimitives.WriteDoubleLittleEndian(_scratch.AsSpan(_used + 1), value);
        _used += 9;
    }

    /// <summary>Writes a string.</summary>
    public void String(ReadOnlySpan<byte> value)
    {
        _scratch[_used++] = StructWire.String;
        Varint(value.Length);
        value.CopyTo(_scratch.AsSpan(_used));
        _used += value.Length;
    }

    /// <summary>Opens an object or a list.</summary>
    /// <param name="key">Its key, when it is a member.</param>
    /// <param name="isMember">Whether it belongs to an object.</param>
    /// <param name="kind">The tag of its kind.</param>
    /// <param name="keyPlace">Where the key lies in <see cref="Scratch"/>.</param>
    public Container Open(ReadOnlySpan<byte> key, bool isMember, byte kind, out KeyStack.Key keyPlace)
    {
        Ensure(key.Length + 16);
        if (_containers == _headers.Length)
        {
            Grow(ref _headers, _containers, _containers + 1);
        }

        var outer = isMember ? _used : -1;
        keyPlace = new(isMember ? Key(key) : 0, key.Length);
        _headers[_containers] = new() { Outer = outer, Inner = _used, Kind = kind };
        return new(_containers++, _used, _inserted);
    }

    /// <summary>Closes a container: its length is known now.</summary>
    public void Close(Container container)
    {
        ref var header = ref _headers[container.Index];
        header.Content = _used - container.Used + _inserted - container.Inserted;
        _inserted += header.Size;
    }

    /// <summary>Copies out the whole.</summary>
    public readonly void CopyTo(Span<byte> destination)
    {
        var from = 0;
        var position = 0;
        foreach (ref readonly var header in _headers.AsSpan(0, _containers))
        {
            if (header.Outer >= 0)
            {
                position += Piece(from, header.Outer, destination[position..]);
                destination[position++] = StructWire.Field1;
                position += Varint(destination[position..], header.EntryLength);
                from = header.Outer;
            }

            position += Piece(from, header.Inner, destination[position..]);
            destination[position++] = header.Outer >= 0 ? StructWire.EntryValue : StructWire.Field1;
            position += Varint(destination[position..], header.ValueLength);
            destination[position++] = header.Kind;
            position += Varint(destination[position..], header.Content);
            from = header.Inner;
        }

        Piece(from, _used, destination[position..]);
    }

    /// <summary>Gives back what was rented.</summary>
    public readonly void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_scratch);
        ArrayPool<Header>.Shared.Return(_headers);
    }

    private static int Varint(Span<byte> destination, int value)
    {
        var rest = (uint)value;
        var length = 0;
        for (; rest > 0x7F; rest >>= 7)
        {
            destination[length++] = (byte)(rest | 0x80);
        }

        destination[length++] = (byte)rest;
        return length;
    }

    private static void Grow<T>(ref T[] array, int used, int needed)
    {
        var larger = ArrayPool<T>.Shared.Rent(Math.Max(needed, array.Length * 2));
        array.AsSpan(0, used).CopyTo(larger);
        ArrayPool<T>.Shared.Return(array);
        array = larger;
    }

    private readonly int Piece(int from, int to, Span<byte> destination)
    {
        _scratch.AsSpan(from, to - from).CopyTo(destination);
        return to - from;
    }

    private void Varint(int value)
    {
        if (value <= 0x7F)
        {
            _scratch[_used++] = (byte)value;
            return;
        }

        _used += Varint(_scratch.AsSpan(_used), value);
    }

    private int Key(ReadOnlySpan<byte> key)
    {
        _scratch[_used++] = StructWire.Field1;
        Varint(key.Length);
        var start = _used;
        key.CopyTo(_scratch.AsSpan(start));
        _used += key.Length;
        return start;
    }

    private void Ensure(int more)
    {
        if (_scratch.Length - _used < more)
        {
            Grow(ref _scratch, _used, _used + more);
        }
    }

    /// <summary>A container that is open: its place among the headers and what was written before its content.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct Container(int Index, int Used, int Inserted);

    // What stands around a container: [entry tag, length] at Outer, then the key, then [value tag, length, kind, length] at Inner.
    [StructLayout(LayoutKind.Auto)]
    private struct Header
    {
        public int Outer;
        public int Inner;
        public int Content;
        public byte Kind;

        public readonly int ValueLength => 1 + VarintSize(Content) + Content;

        public readonly int EntryLength => Inner - Outer + 1 + VarintSize(ValueLength) + ValueLength;

        public readonly int Size =>
            2 + VarintSize(Content) + VarintSize(ValueLength) + (Outer >= 0 ? 1 + VarintSize(EntryLength) : 0);
    }
}
