using Google.Protobuf;

namespace Vibe.Rpc.Json;

/// <summary>int32, sint32, sfixed32.</summary>
internal sealed class Int32Codec : ValueCodec<int>
{
    public override bool IsDefault(int value) => value == 0;

    public override void Write(int value, ref JsonOutput json) => json.Int64(value);

    public override bool Read(ref JsonScanner json, out int value)
    {
        value = (int)ScalarText.ReadInteger(ref json, int.MinValue, int.MaxValue);
        return true;
    }
}

/// <summary>uint32, fixed32.</summary>
internal sealed class UInt32Codec : ValueCodec<uint>
{
    public override bool IsDefault(uint value) => value == 0;

    public override void Write(uint value, ref JsonOutput json) => json.Int64(value);

    public override bool Read(ref JsonScanner json, out uint value)
    {
        value = (uint)ScalarText.ReadInteger(ref json, 0, uint.MaxValue);
        return true;
    }
}

/// <summary>int64, sint64, sfixed64: a string, as JavaScript's numbers end at 2^53.</summary>
internal sealed class Int64Codec : ValueCodec<long>
{
    public override bool IsDefault(long value) => value == 0;

    public override void Write(long value, ref JsonOutput json)
    {
        json.Byte((byte)'"');
        json.Int64(value);
        json.Byte((byte)'"');
    }

    public override bool Read(ref JsonScanner json, out long value)
    {
        value = ScalarText.ReadInteger(ref json, long.MinValue, long.MaxValue);
        return true;
    }
}

/// <summary>uint64, fixed64.</summary>
internal sealed class UInt64Codec : ValueCodec<ulong>
{
    public override bool IsDefault(ulong value) => value == 0;

    public override void Write(ulong value, ref JsonOutput json)
    {
        json.Byte((byte)'"');
        json.UInt64(value);
        json.Byte((byte)'"');
    }

    public override bool Read(ref JsonScanner json, out ulong value)
    {
        value = (ulong)ScalarText.ReadInteger(ref json, 0, ulong.MaxValue);
        return true;
    }
}

/// <summary>double.</summary>
internal sealed class DoubleCodec : ValueCodec<double>
{
    // -0 too, though it is a value of its own: generated C# leaves it out on the wire, and the protocols should agree.
    public override bool IsDefault(double value) => value == 0;

    public override void Write(double value, ref JsonOutput json)
    {
        if (double.IsFinite(value))
        {
            json.Double(value);
        }
        else
        {
            json.Raw(double.IsNaN(value) ? "\"NaN\""u8 : value > 0 ? "\"Infinity\""u8 : "\"-Infinity\""u8);
        }
    }

    public override bool Read(ref JsonScanner json, out double value)
    {
        var text = ScalarText.ReadNumber(ref json, out var quoted);
        if (quoted && FloatingPoint.TryNotFinite(text, out value))
        {
            return true;
        }

        value = FloatingPoint.Check(text, ref json) ? JsonNumber.ToDouble(text) : 0;
        return double.IsFinite(value) ? true : throw json.Fail(JsonErrorReason.NumberOutOfRange, "the number is too large for a double");
    }
}

/// <summary>float.</summary>
internal sealed class SingleCodec : ValueCodec<float>
{
    public override bool IsDefault(float value) => value == 0;

    public override void Write(float value, ref JsonOutput json)
    {
        if (float.IsFinite(value))
        {
            json.Single(value);
        }
        else
        {
            json.Raw(float.IsNaN(value) ? "\"NaN\""u8 : value > 0 ? "\"Infinity\""u8 : "\"-Infinity\""u8);
        }
    }

    public override bool Read(ref JsonScanner json, out float value)
    {
        var text = ScalarText.ReadNumber(ref json, out var quoted);
        if (quoted && FloatingPoint.TryNotFinite(text, out var special))
        {
            value = (float)special;
            return true;
        }

        value = FloatingPoint.Check(text, ref json) ? JsonNumber.ToSingle(text) : 0;
        return float.IsFinite(value) ? true : throw json.Fail(JsonErrorReason.NumberOutOfRange, "the number is too large for a float");
    }
}

/// <summary>What float and double share.</summary>
internal static class FloatingPoint
{
    public static bool TryNotFinite(ReadOnlySpan<byte> text, out double value)
    {
        value = text switch
        {
            _ when text.SequenceEqual("NaN"u8) => double.NaN,
            _ when text.SequenceEqual("Infinity"u8) => double.PositiveInfinity,
            _ when text.SequenceEqual("-Infinity"u8) => double.NegativeInfinity,
            _ => 0,
        };
        return value != 0;
    }

    public static bool Check(scoped ReadOnlySpan<byte> text, ref JsonScanner json) =>
        text.Length > 0 && JsonNumber.Match(text) == text.Length
            ? true
            : throw json.Fail(JsonErrorReason.InvalidNumber, "a number is expected");
}

/// <summary>bool.</summary>
internal sealed class BoolCodec : ValueCodec<bool>
{
    public override bool IsDefault(bool value) => !value;

    public override void Write(bool value, ref JsonOutput json) => json.Raw(value ? "true"u8 : "false"u8);

    public override bool Read(ref JsonScanner json, out bool value)
    {
        value = json.ReadBool();
        return true;
    }
}

/// <summary>string.</summary>
internal sealed class StringCodec : ValueCodec<string>
{
    public override bool IsDefault(string value) => value.Length == 0;

    public override void Write(string value, ref JsonOutput json) => json.String(value);

    public override bool Read(ref JsonScanner json, out string value)
    {
        value = ScalarText.Read(ref json);
        return true;
    }
}

/// <summary>bytes: base64.</summary>
internal sealed class BytesCodec : ValueCodec<ByteString>
{
    public override bool IsDefault(ByteString value) => value.IsEmpty;

    public override void Write(ByteString value, ref JsonOutput json) => json.Base64(value.Span);

    public override bool Read(ref JsonScanner json, out ByteString value)
    {
        var text = ScalarText.ReadBytes(ref json);
        value = Base64Text.TryDecode(text, out var bytes)
            ? UnsafeByteOperations.UnsafeWrap(bytes)
            : throw json.Fail(JsonErrorReason.InvalidBase64, "base64 or base64url is expected");
        return true;
    }
}

/// <summary>A <c>google.protobuf.Struct</c> that generated code holds as bytes: the wire twin.</summary>
internal sealed class StructTwinCodec(int maxBytes) : ValueCodec<ByteString>
{
    public override ReadOnlySpan<byte> AbsentForm => "{}"u8;

    public override bool IsDefault(ByteString value) => value.IsEmpty;

    public override void Write(ByteString value, ref JsonOutput json) => StructDecoder.Write(value.Span, ref json);

    public override bool Read(ref JsonScanner json, out ByteString value)
    {
        value = StructJson.Read(ref json, maxBytes);
        return true;
    }
}
