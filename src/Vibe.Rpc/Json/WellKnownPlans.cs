using System.Reflection;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Vibe.Rpc.Json;

/// <summary><c>google.protobuf.Timestamp</c>: RFC 3339 in UTC, with 0, 3, 6 or 9 digits of fraction.</summary>
internal sealed class TimestampPlan : MessagePlan<Timestamp>
{
    protected override void Write(Timestamp message, ref JsonOutput json)
    {
        if (!TimeText.TryWriteTimestamp(message.Seconds, message.Nanos, ref json))
        {
            throw new JsonCodecException(JsonErrorReason.InvalidTimestamp, "a timestamp outside of the years 1 to 9999");
        }
    }

    protected override void Read(Timestamp target, ref JsonScanner json)
    {
        if (!TimeText.TryParseTimestamp(ScalarText.ReadBytes(ref json), out var seconds, out var nanos))
        {
            throw json.Fail(JsonErrorReason.InvalidTimestamp, "a timestamp as \"2006-01-02T15:04:05.999Z\" is expected");
        }

        (target.Seconds, target.Nanos) = (seconds, nanos);
    }
}

/// <summary><c>google.protobuf.Duration</c>: seconds with the suffix <c>s</c>.</summary>
internal sealed class DurationPlan : MessagePlan<Duration>
{
    protected override void Write(Duration message, ref JsonOutput json)
    {
        if (!TimeText.TryWriteDuration(message.Seconds, message.Nanos, ref json))
        {
            throw new JsonCodecException(JsonErrorReason.InvalidDuration, "a duration of more than 10,000 years, or of two signs");
        }
    }

    protected override void Read(Duration target, ref JsonScanner json)
    {
        if (!TimeText.TryParseDuration(ScalarText.ReadBytes(ref json), out var seconds, out var nanos))
        {
            throw json.Fail(JsonErrorReason.InvalidDuration, "a duration as \"1.5s\" is expected");
        }

        (target.Seconds, target.Nanos) = (seconds, nanos);
    }
}

/// <summary><c>google.protobuf.FieldMask</c>: paths in lowerCamelCase with commas between them.</summary>
internal sealed class FieldMaskPlan : MessagePlan<FieldMask>
{
    protected override void Write(FieldMask message, ref JsonOutput json)
    {
        var text = new StringBuilder();
        foreach (var path in message.Paths)
        {
            text.Append(text.Length > 0 ? "," : "");
            if (!TryCamel(path, text))
            {
                throw new JsonCodecException(JsonErrorReason.InvalidFieldMask, "a path that lowerCamelCase cannot express");
            }
        }

        json.String(text.ToString());
    }

    protected override void Read(FieldMask target, ref JsonScanner json)
    {
        foreach (var path in ScalarText.Read(ref json).Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (path.Contains('_', StringComparison.Ordinal))
            {
                throw json.Fail(JsonErrorReason.InvalidFieldMask, "paths are in lowerCamelCase");
            }

            var snake = new StringBuilder(path.Length + 4);
            foreach (var letter in path)
            {
                snake.Append(char.IsAsciiLetterUpper(letter) ? "_" : "").Append(char.ToLowerInvariant(letter));
            }

            target.Paths.Add(snake.ToString());
        }
    }

    // Only what reads back the same has a JSON form: no capitals, and a letter after each underscore.
    private static bool TryCamel(string path, StringBuilder text)
    {
        var upper = false;
        foreach (var letter in path)
        {
            if (letter == '_' && !upper)
            {
                upper = true;
            }
            else if (char.IsAsciiLetterUpper(letter) || letter == ',' || (upper && !char.IsAsciiLetterLower(letter)))
            {
                return false;
            }
            else
            {
                text.Append(upper ? char.ToUpperInvariant(letter) : letter);
                upper = false;
            }
        }

        return !upper;
    }
}

/// <summary>A wrapper message by itself: the bare value. As a field, generated code holds it without the message.</summary>
internal sealed class WrapperPlan<TMessage, T>(FieldDescriptor descriptor, PropertyInfo property, ValueCodec<T> codec) : MessagePlan
    where TMessage : class, IMessage
{
    private readonly SingularPlan<TMessage, T> _value = new(descriptor, property, codec);

    public override void Write(IMessage message, ref JsonOutput json) => _value.WriteValue(message, ref json);

    public override void Read(IMessage target, ref JsonScanner json) => _value.Read(target, ref json);
}
