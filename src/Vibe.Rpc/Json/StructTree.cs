using Google.Protobuf.WellKnownTypes;

namespace Vibe.Rpc.Json;

/// <summary><c>google.protobuf.Struct</c> as generated code holds it: a tree.</summary>
internal sealed class StructPlan : MessagePlan<Struct>
{
    public override ReadOnlySpan<byte> AbsentForm => "{}"u8;

    protected override void Write(Struct message, ref JsonOutput json) => StructTree.Write(message, ref json);

    protected override void Read(Struct target, ref JsonScanner json) => StructTree.Read(target, ref json);
}

/// <summary><c>google.protobuf.Value</c>: any JSON value.</summary>
internal sealed class ValuePlan : MessagePlan<Value>
{
    public override bool AcceptsNull => true;

    protected override void Write(Value message, ref JsonOutput json) => StructTree.Write(message, ref json);

    protected override void Read(Value target, ref JsonScanner json) => StructTree.Read(target, ref json);
}

/// <summary><c>google.protobuf.ListValue</c>: any JSON array.</summary>
internal sealed class ListPlan : MessagePlan<ListValue>
{
    protected override void Write(ListValue message, ref JsonOutput json) => StructTree.Write(message, ref json);

    protected override void Read(ListValue target, ref JsonScanner json) => StructTree.Read(target, ref json);
}

/// <summary>Reads and writes the three messages, which contain each other.</summary>
internal static class StructTree
{
    public static void Write(Struct message, ref JsonOutput json)
    {
        json.Enter();
        json.Byte((byte)'{');
        var first = true;
        foreach (var (key, value) in message.Fields)
        {
            if (!first)
            {
                json.Byte((byte)',');
            }

            first = false;
            json.String(key);
            json.Byte((byte)':');
            Write(value, ref json);
        }

        json.Byte((byte)'}');
        json.Leave();
    }

    public static void Write(ListValue message, ref JsonOutput json)
    {
        json.Enter();
        json.Byte((byte)'[');
        for (var i = 0; i < message.Values.Count; i++)
        {
            if (i > 0)
            {
                json.Byte((byte)',');
            }

            Write(message.Values[i], ref json);
        }

        json.Byte((byte)']');
        json.Leave();
    }

    public static void Write(Value message, ref JsonOutput json)
    {
        switch (message.KindCase)
        {
            case Value.KindOneofCase.NullValue:
                json.Raw("null"u8);
                break;
            case Value.KindOneofCase.BoolValue:
                json.Raw(message.BoolValue ? "true"u8 : "false"u8);
                break;
            case Value.KindOneofCase.NumberValue when double.IsFinite(message.NumberValue):
                json.Double(message.NumberValue);
                break;
            case Value.KindOneofCase.NumberValue:
                throw new JsonCodecException(JsonErrorReason.NotFinite, "NaN and infinities have no JSON form");
            case Value.KindOneofCase.StringValue:
                json.String(message.StringValue);
                break;
            case Value.KindOneofCase.StructValue:
                Write(message.StructValue, ref json);
                break;
            case Value.KindOneofCase.ListValue:
                Write(message.ListValue, ref json);
                break;
            default:
                throw new JsonCodecException(JsonErrorReason.MissingValue, "a google.protobuf.Value without a kind");
        }
    }

    public static void Read(Struct target, ref JsonScanner json)
    {
        // A target that has fields already is merged into; only keys of the input must differ from each other.
        var given = target.Fields.Count == 0 ? null : new HashSet<string>();
        json.BeginObject();
        var first = true;
        while (json.NextMember(ref first, out var name, out var escaped))
        {
            var key = escaped ? ScalarText.Unescaped(name) : System.Text.Encoding.UTF8.GetString(name);
            if (given is null ? target.Fields.ContainsKey(key) : !given.Add(key))
            {
                throw json.Fail(JsonErrorReason.DuplicateKey, "the key comes twice");
            }

            var value = new Value();
            Read(value, ref json);
            target.Fields[key] = value;
        }
    }

    public static void Read(ListValue target, ref JsonScanner json)
    {
        json.BeginArray();
        var first = true;
        while (json.NextItem(ref first))
        {
            var value = new Value();
            Read(value, ref json);
            target.Values.Add(value);
        }
    }

    public static void Read(Value target, ref JsonScanner json)
    {
        switch (json.Peek())
        {
            case (byte)'n' when json.TryReadNull():
                target.NullValue = NullValue.NullValue;
                break;
            case (byte)'t' or (byte)'f':
                target.BoolValue = json.ReadBool();
                break;
            case (byte)'"':
                target.StringValue = ScalarText.Read(ref json);
                break;
            case (byte)'{':
                var fields = new Struct();
                Read(fields, ref json);
                target.StructValue = fields;
                break;
            case (byte)'[':
                var items = new ListValue();
                Read(items, ref json);
                target.ListValue = items;
                break;
            default:
                var number = JsonNumber.ToDouble(json.ReadNumber());
                target.NumberValue = double.IsFinite(number)
                    ? number
                    : throw json.Fail(JsonErrorReason.NumberOutOfRange, "the number is too large for a double");
                break;
        }
    }
}
