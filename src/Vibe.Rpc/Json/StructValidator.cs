using System.Text.Unicode;

namespace Vibe.Rpc.Json;

/// <summary>Checks that bytes are one well-formed <c>google.protobuf.Struct</c> that could have come from JSON.</summary>
internal ref struct StructValidator(ReadOnlySpan<byte> wire, int maxDepth, KeyStack keys)
{
    private readonly ReadOnlySpan<byte> _wire = wire;
    private KeyStack _keys = keys;

    /// <summary>Checks all of it.</summary>
    public void Check() => Object(new(0, _wire.Length), maxDepth);

    /// <summary>Gives back what was rented.</summary>
    public void Dispose() => _keys.Dispose();

    private void Object(StructWire.Part part, int depth)
    {
        var fields = StructWire.At(_wire, part);
        CheckDepth(ref fields, depth);
        var owner = _keys.Count;
        while (fields.More)
        {
            var tag = fields.Tag();
            var (key, value) = tag == StructWire.Field1 ? fields.Entry() : throw fields.Malformed("an unknown field");
            CheckText(key);
            if (!_keys.Add(owner, new(key.Start, key.Length), _wire))
            {
                throw Duplicate(new(key.Start, key.Length));
            }

            Value(value, depth);
        }

        if (_keys.Close(owner, _wire) is { } duplicate)
        {
            throw Duplicate(duplicate);
        }
    }

    private void List(StructWire.Part part, int depth)
    {
        var items = StructWire.At(_wire, part);
        CheckDepth(ref items, depth);
        while (items.More)
        {
            var tag = items.Tag();
            Value(tag == StructWire.Field1 ? items.Content() : throw items.Malformed("an unknown field"), depth);
        }
    }

    private void Value(StructWire.Part part, int depth)
    {
        var value = StructWire.At(_wire, part);
        if (!value.More)
        {
            throw Fail(part.Start - 1, JsonErrorReason.MissingValue, "a value without a kind");
        }

        switch (value.Tag())
        {
            case StructWire.Null:
                if (value.Varint() != 0)
                {
                    throw value.Malformed("a null that is not NULL_VALUE");
                }

                break;
            case StructWire.Number:
                if (!double.IsFinite(value.Double()))
                {
                    throw value.Fail(JsonErrorReason.NotFinite, "NaN and infinities have no JSON form");
                }

                break;
            case StructWire.String:
                CheckText(value.Content());
                break;
            case StructWire.Bool:
                value.Varint();
                break;
            case StructWire.Struct:
                Object(value.Content(), depth - 1);
                break;
            case StructWire.List:
                List(value.Content(), depth - 1);
                break;
            default:
                throw value.Malformed("a value of an unknown kind");
        }

        if (value.More)
        {
            throw value.Malformed("a value of more than one kind");
        }
    }

    private readonly void CheckText(StructWire.Part part)
    {
        var text = part.In(_wire);
        if (!Utf8.IsValid(text))
        {
            throw Fail(part.Start, JsonErrorReason.InvalidUtf8, "a string that is not UTF-8");
        }

        if (text.Contains((byte)0))
        {
            throw Fail(part.Start, JsonErrorReason.NullCharacter, "U+0000 cannot be stored");
        }
    }

    private readonly void CheckDepth(scoped ref StructWire at, int depth)
    {
        if (depth <= 0)
        {
            throw at.Fail(JsonErrorReason.DepthLimit, $"nested deeper than {maxDepth} levels");
        }
    }

    private readonly StructJsonException Duplicate(KeyStack.Key key) =>
        Fail(key.Start, JsonErrorReason.DuplicateKey, $"the key \"{JsonPath.Shorten(key.In(_wire))}\" comes twice");

    private readonly StructJsonException Fail(int offset, string reason, string message) =>
        new(reason, message, StructPath.At(_wire, offset));
}
