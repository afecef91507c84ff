using System.Buffers;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;

namespace Vibe.Client.Documents;

/// <summary>Bodies of documents: objects of the app ⇄ <see cref="Struct"/>.</summary>
internal static class JsonBody
{
    // Integers beyond it are not told apart by a double.
    private const double LargestExact = 9_007_199_254_740_992;
    private const double LargestLong = 9.2e18;

    /// <summary>An object as a body.</summary>
    /// <param name="value">The object.</param>
    /// <param name="options">How it becomes JSON.</param>
    /// <exception cref="VibeException">INVALID_ARGUMENT: it is no JSON object, or has a number that no double is.</exception>
    public static Struct ToStruct(object value, JsonSerializerOptions options)
    {
        var json = JsonSerializer.SerializeToElement(value, value.GetType(), options);
        return json.ValueKind == JsonValueKind.Object
            ? ToStruct(json, "data")
            : throw VibeException.InvalidArgument("document.data", $"{value.GetType().Name} is no JSON object");
    }

    /// <summary>A body as an object.</summary>
    /// <exception cref="JsonException">The body does not fit the type.</exception>
    public static T FromStruct<T>(Struct body, JsonSerializerOptions options)
    {
        var reader = new Utf8JsonReader(ToJson(body).Span);
        return JsonSerializer.Deserialize<T>(ref reader, options) ?? throw new JsonException($"A document became no {typeof(T).Name}.");
    }

    /// <summary>JSON text as a value; for tests of the shared vectors, and for filters.</summary>
    public static Value ToValue(JsonElement json, string path) => json.ValueKind switch
    {
        JsonValueKind.Object => Value.ForStruct(ToStruct(json, path)),
        JsonValueKind.Array => Value.ForList([.. json.EnumerateArray().Select((item, index) => ToValue(item, $"{path}[{index}]"))]),
        JsonValueKind.String => Value.ForString(json.GetString()),
        JsonValueKind.Number => Value.ForNumber(NumberOf(json, path)),
        JsonValueKind.True => Value.ForBool(true),
        JsonValueKind.False => Value.ForBool(false),
        _ => Value.ForNull(),
    };

    /// <summary>A body as JSON text.</summary>
    public static ReadOnlyMemory<byte> ToJson(Struct body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, body);
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Writes a value as JSON.</summary>
    public static void Write(Utf8JsonWriter writer, Value value)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StructValue:
                Write(writer, value.StructValue);
                break;
            case Value.KindOneofCase.ListValue:
                writer.WriteStartArray();
                foreach (var item in value.ListValue.Values)
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            case Value.KindOneofCase.StringValue:
                writer.WriteStringValue(value.StringValue);
                break;
            case Value.KindOneofCase.BoolValue:
                writer.WriteBooleanValue(value.BoolValue);
                break;
            case Value.KindOneofCase.NumberValue when double.IsInteger(value.NumberValue) && Math.Abs(value.NumberValue) < LargestLong:
                // Without an exponent, so that it can become an integer of C#.
                writer.WriteNumberValue((long)value.NumberValue);
                break;
            case Value.KindOneofCase.NumberValue:
                writer.WriteNumberValue(value.NumberValue);
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    private static void Write(Utf8JsonWriter writer, Struct body)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in body.Fields)
        {
            writer.WritePropertyName(name);
            Write(writer, value);
        }

        writer.WriteEndObject();
    }

    private static Struct ToStruct(JsonElement json, string path)
    {
        var body = new Struct();
        foreach (var property in json.EnumerateObject())
        {
            if (!body.Fields.TryAdd(property.Name, ToValue(property.Value, $"{path}.{property.Name}")))
            {
                throw VibeException.InvalidArgument(path, $"the key \"{property.Name}\" stands there twice");
            }
        }

        return body;
    }

    private static double NumberOf(JsonElement json, string path)
    {
        var number = json.GetDouble();
        if (!double.IsFinite(number))
        {
            throw VibeException.InvalidArgument(path, $"{json.GetRawText()} is beyond the range of a double");
        }

        // 2^53 + 1 would silently become 2^53.
        return Math.Abs(number) < LargestExact || !json.TryGetDecimal(out var exact) || exact == Exact(number)
            ? number
            : throw VibeException.InvalidArgument(path, $"{json.GetRawText()} is not exact as a double: keep larger integers as text");
    }

    private static decimal? Exact(double number) => Math.Abs(number) < 7.9e27 ? decimal.Parse(
        number.ToString("F0", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture) : null;
}
