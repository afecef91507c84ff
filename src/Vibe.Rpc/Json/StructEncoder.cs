using System.Buffers;

namespace Vibe.Rpc.Json;

/// <summary>Writes the wire form of a <c>google.protobuf.Struct</c> from JSON in one pass over the text, without a tree.</summary>
internal ref struct StructEncoder(int sizeHint, int maxBytes, KeyStack keys)
{
    private const int NoOwner = -1;

    private KeyStack _keys = keys;
    private StructBuffer _buffer = new(sizeHint + (sizeHint / 2));
    private byte[]? _key;
    private byte[]? _value;

    /// <summary>The length of what was read.</summary>
    public readonly int Length => _buffer.Length;

    /// <summary>Reads one object.</summary>
    public void Read(scoped ref JsonScanner json)
    {
        Object(ref json);
        CheckSize(ref json);
    }

    /// <summary>Copies out what was read.</summary>
    public readonly void CopyTo(Span<byte> destination) => _buffer.CopyTo(destination);

    /// <summary>Gives back what was rented.</summary>
    public void Dispose()
    {
        _keys.Dispose();
        _buffer.Dispose();
        Return(_key);
        Return(_value);
    }

    private static int Unescape(scoped ref JsonScanner json, scoped ReadOnlySpan<byte> text, ref byte[]? buffer)
    {
        if (buffer is null || buffer.Length < text.Length)
        {
            Return(buffer);
            buffer = ArrayPool<byte>.Shared.Rent(text.Length);
        }

        var length = JsonText.Unescape(text, buffer);
        return buffer.AsSpan(0, length).Contains((byte)0)
            ? throw json.Fail(JsonErrorReason.NullCharacter, "U+0000 cannot be stored")
            : length;
    }

    private static void Return(byte[]? buffer)
    {
        if (buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Object(scoped ref JsonScanner json)
    {
        json.BeginObject();
        var owner = _keys.Count;
        var first = true;
        while (json.NextMember(ref first, out var name, out var escaped))
        {
            if (escaped)
            {
                var length = Unescape(ref json, name, ref _key);
                name = _key.AsSpan(0, length);
            }

            Value(ref json, name, owner);
        }

        if (_keys.Close(owner, _buffer.Scratch) is { } duplicate)
        {
            throw Duplicate(ref json, duplicate);
        }
    }

    private void List(scoped ref JsonScanner json)
    {
        json.BeginArray();
        var first = true;
        while (json.NextItem(ref first))
        {
            Value(ref json, [], NoOwner);
        }
    }

    // Owner: where the keys of the object begin that the value is a member of, or NoOwner.
    private void Value(scoped ref JsonScanner json, scoped ReadOnlySpan<byte> key, int owner)
    {
        switch (json.Peek())
        {
            case (byte)'"':
                var text = json.ReadString(out var escaped);
                if (escaped)
                {
                    var length = Unescape(ref json, text, ref _value);
                    text = _value.AsSpan(0, length);
                }

                Scalar(ref json, key, owner, 1 + StructBuffer.VarintSize(text.Length) + text.Length);
                _buffer.String(text);
                break;
            case (byte)'{':
                var fields = Open(ref json, key, owner, StructWire.Struct);
                Object(ref json);
                _buffer.Close(fields);
                break;
            case (byte)'[':
                var items = Open(ref json, key, owner, StructWire.List);
                List(ref json);
                _buffer.Close(items);
                break;
            case (byte)'t' or (byte)'f':
                Scalar(ref json, key, owner, 2);
                _buffer.Tag(StructWire.Bool, json.ReadBool() ? (byte)1 : (byte)0);
                break;
            case (byte)'n' when json.TryReadNull():
                Scalar(ref json, key, owner, 2);
                _buffer.Tag(StructWire.Null, 0);
                break;
            default:
                var number = JsonNumber.ToDouble(json.ReadNumber());
                if (!double.IsFinite(number))
                {
                    throw json.Fail(JsonErrorReason.NumberOutOfRange, "the number is too large for a double");
                }

                Scalar(ref json, key, owner, 9);
                _buffer.Number(number);
                break;
        }
    }

    private void Scalar(scoped ref JsonScanner json, scoped ReadOnlySpan<byte> key, int owner, int length) =>
        Remember(ref json, owner, _buffer.Scalar(key, owner != NoOwner, length));

    private StructBuffer.Container Open(scoped ref JsonScanner json, scoped ReadOnlySpan<byte> key, int owner, byte kind)
    {
        CheckSize(ref json);
        var container = _buffer.Open(key, owner != NoOwner, kind, out var place);
        Remember(ref json, owner, place);
        return container;
    }

    private void Remember(scoped ref JsonScanner json, int owner, KeyStack.Key key)
    {
        if (owner != NoOwner && !_keys.Add(owner, key, _buffer.Scratch))
        {
            throw Duplicate(ref json, key);
        }
    }

    private readonly void CheckSize(scoped ref JsonScanner json)
    {
        if (_buffer.Length > maxBytes)
        {
            throw json.Fail(JsonErrorReason.SizeLimit, $"larger than {maxBytes} bytes");
        }
    }

    private readonly JsonCodecException Duplicate(scoped ref JsonScanner json, KeyStack.Key key) =>
        json.Fail(JsonErrorReason.DuplicateKey, $"the key \"{JsonPath.Shorten(key.In(_buffer.Scratch))}\" comes twice");
}
