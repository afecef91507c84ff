using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.Rest;

/// <summary>
/// Reads the value of a field from the text of a URL, by the rules of the protobuf JSON mapping with the quotes left out. Besides,
/// an enum value may go without the prefix that repeats its enum's name: <c>scope=PUBLIC</c> for <c>SCOPE_PUBLIC</c>.
/// </summary>
internal sealed class TextValueParser(JsonCodec codec)
{
    private const NumberStyles Integer = NumberStyles.AllowLeadingSign;
    private const NumberStyles Real = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>Reads the value; for a repeated field, one element.</summary>
    /// <param name="field">A field that <see cref="TextType.IsText"/> allows.</param>
    /// <param name="text">The decoded text.</param>
    /// <param name="value">The value as the field's accessor takes it.</param>
    /// <param name="problem">What is wrong, fit for a client.</param>
    public bool TryParse(
        FieldDescriptor field, string text, [NotNullWhen(true)] out object? value, [NotNullWhen(false)] out string? problem)
    {
        (value, problem) = field.FieldType switch
        {
            FieldType.String => (text, null),
            FieldType.Bool => (text switch { "true" => true, "false" => false, _ => (object?)null }, "must be true or false"),
            FieldType.Bytes => (Bytes(text), "must be base64 or base64url"),
            FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 =>
                (int.TryParse(text, Integer, CultureInfo.InvariantCulture, out var number) ? number : null, "must be a 32-bit integer"),
            FieldType.UInt32 or FieldType.Fixed32 =>
                (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null,
                    "must be an unsigned 32-bit integer"),
            FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 =>
                (long.TryParse(text, Integer, CultureInfo.InvariantCulture, out var number) ? number : null, "must be a 64-bit integer"),
            FieldType.UInt64 or FieldType.Fixed64 =>
                (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null,
                    "must be an unsigned 64-bit integer"),
            FieldType.Float => (Float(text), "must be a 32-bit floating-point number"),
            FieldType.Double => (Double(text), "must be a floating-point number"),
            FieldType.Enum => (Enum(field.EnumType, text), $"must be the name or the number of a {field.EnumType.Name}"),
            _ => Message(field.MessageType, text),
        };
        problem = value is null ? problem ?? "is not valid" : null;
        return value is not null;
    }

    private (object? Value, string? Problem) Message(MessageDescriptor message, string text)
    {
        if (TextType.IsWrapper(message))
        {
            return TryParse(message.FindFieldByNumber(1), text, out var value, out var problem) ? (value, null) : (null, problem);
        }

        var parsed = message.Parser.ParseFrom(ByteString.Empty);
        try
        {
            codec.Merge(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(text)}\"")), parsed);
            return (parsed, null);
        }
        catch (JsonCodecException e)
        {
            return (null, e.Message);
        }
    }

    private static int? Enum(EnumDescriptor type, string text)
    {
        var value = type.FindValueByName(text) ?? type.FindValueByName(Prefix(type.Name) + text);
        return value is not null ? value.Number
            : int.TryParse(text, Integer, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    // The prefix that the style guide asks for: UPPER_SNAKE_CASE of the enum's name.
    private static string Prefix(string name)
    {
        var prefix = new StringBuilder(name.Length + 4);
        for (var i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsAsciiLetterUpper(name[i]) && !char.IsAsciiLetterUpper(name[i - 1]))
            {
                prefix.Append('_');
            }

            prefix.Append(char.ToUpperInvariant(name[i]));
        }

        return prefix.Append('_').ToString();
    }

    private static double? Double(string text) => text switch
    {
        "NaN" => double.NaN,
        "Infinity" => double.PositiveInfinity,
        "-Infinity" => double.NegativeInfinity,
        _ => double.TryParse(text, Real, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null,
    };

    private static float? Float(string text) =>
        Double(text) is double number && (float)number is var single && float.IsFinite(single) == double.IsFinite(number) ? single : null;

    private static ByteString? Bytes(string text)
    {
        var base64 = text.TrimEnd('=').Replace('-', '+').Replace('_', '/');
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64 + new string('=', -base64.Length & 3), bytes, out var length)
            ? ByteString.CopyFrom(bytes, 0, length)
            : null;
    }
}
