namespace Vibe.Rpc.Json;

/// <summary>Writes the wire form of a <c>google.protobuf.Struct</c> as JSON, without a tree.</summary>
internal static class StructDecoder
{
    public static void Write(ReadOnlySpan<byte> wire, ref JsonOutput json, int maxDepth = StructJsonLimits.Most)
    {
        Object(wire, new(0, wire.Length), ref json, maxDepth);
    }

    private static void Object(ReadOnlySpan<byte> wire, StructWire.Part part, scoped ref JsonOutput json, int depth)
    {
        var fields = StructWire.At(wire, part);
        CheckDepth(ref fields, depth);
        json.Byte((byte)'{');
        for (var first = true; fields.More; first = false)
        {
            if (fields.Tag() != StructWire.Field1)
            {
                throw fields.Malformed("an unknown field");
            }

            var (key, value) = fields.Entry();
            if (!first)
            {
                json.Byte((byte)',');
            }

            json.Utf8String(key.In(wire));
            json.Byte((byte)':');
            Value(wire, value, ref json, depth);
        }

        json.Byte((byte)'}');
    }

    private static void List(ReadOnlySpan<byte> wire, StructWire.Part part, scoped ref JsonOutput json, int depth)
    {
        var items = StructWire.At(wire, part);
        CheckDepth(ref items, depth);
        json.Byte((byte)'[');
        for (var first = true; items.More; first = false)
        {
            if (items.Tag() != StructWire.Field1)
            {
                throw items.Malformed("an unknown field");
            }

            if (!first)
            {
                json.Byte((byte)',');
            }

            Value(wire, items.Content(), ref json, depth);
        }

        json.Byte((byte)']');
    }

    private static void Value(ReadOnlySpan<byte> wire, StructWire.Part part, scoped ref JsonOutput json, int depth)
    {
        var value = StructWire.At(wire, part);
        if (!value.More)
        {
            throw value.Fail(JsonErrorReason.MissingValue, "a value without a kind");
        }

        switch (value.Tag())
        {
            case StructWire.Null:
                value.Varint();
                json.Raw("null"u8);
                break;
            case StructWire.Number:
                var number = value.Double();
                if (!double.IsFinite(number))
                {
                    throw value.Fail(JsonErrorReason.NotFinite, "NaN and infinities have no JSON form");
                }

                json.Double(number);
                break;
            case StructWire.String:
                json.Utf8String(value.Content().In(wire));
                break;
            case StructWire.Bool:
                json.Raw(value.Varint() != 0 ? "true"u8 : "false"u8);
                break;
            case StructWire.Struct:
                Object(wire, value.Content(), ref json, depth - 1);
                break;
            case StructWire.List:
                List(wire, value.Content(), ref json, depth - 1);
                break;
            default:
                throw value.Malformed("a value of an unknown kind");
        }

        if (value.More)
        {
            throw value.Malformed("a value of more than one kind");
        }
    }

    private static void CheckDepth(scoped ref StructWire at, int depth)
    {
        if (depth <= 0)
        {
            throw at.Fail(JsonErrorReason.DepthLimit, "nested too deep");
        }
    }
}
