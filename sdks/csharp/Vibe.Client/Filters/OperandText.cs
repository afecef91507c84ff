using System.Globalization;
using System.Linq.Expressions;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vibe.Client.Filters;

/// <summary>Values as the text form of a filter writes them: as the JSON they would be stored as.</summary>
internal sealed class OperandText(JsonSerializerOptions json)
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<JsonConverter, JsonSerializerOptions> _converted = [];

    /// <summary>A value to compare a field with.</summary>
    /// <exception cref="NotSupportedException">It is no null, bool, number or text.</exception>
    public string Of(NamedField field, object? value, Expression part)
    {
        if (field.Path.IsTime && value is DateTimeOffset or DateTime)
        {
            var time = value is DateTimeOffset offset ? offset : new DateTimeOffset((DateTime)value);
            return $"\"{time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture)}\"";
        }

        // The compiler compares enums and characters as integers.
        var type = Nullable.GetUnderlyingType(field.Type) ?? field.Type;
        if (value is not null && type.IsEnum && value.GetType() != type && value is IConvertible)
        {
            value = Enum.ToObject(type, value);
        }
        else if (type == typeof(char) && value is int character)
        {
            value = (char)character;
        }

        return field.Converter is { } converter && type.IsInstanceOfType(value)
            ? Text(JsonSerializer.SerializeToElement(value, field.Type, With(converter)), value, part)
            : OfItem(value, part);
    }

    /// <summary>A value to look for in a list.</summary>
    /// <exception cref="NotSupportedException">It is no null, bool, number or text.</exception>
    public string OfItem(object? value, Expression part) =>
        value is null ? "null" : Text(JsonSerializer.SerializeToElement(value, value.GetType(), json), value, part);

    private JsonSerializerOptions With(JsonConverter converter)
    {
        if (!_converted.TryGetValue(converter, out var options))
        {
            options = new JsonSerializerOptions(json) { Converters = { converter } };
            _converted[converter] = options;
        }

        return options;
    }

    private static string Text(JsonElement element, object? value, Expression part) => element.ValueKind switch
    {
        JsonValueKind.Null => "null",
        JsonValueKind.String => JsonSerializer.Serialize(element.GetString(), Plain),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => element.GetRawText(),
        _ => throw FieldReader.Unsupported(part, $"a {value?.GetType().Name} is no null, bool, number or text of JSON"),
    };
}
