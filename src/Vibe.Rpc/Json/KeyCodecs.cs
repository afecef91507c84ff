using System.Text;

namespace Vibe.Rpc.Json;

/// <summary>Reads and writes the keys of a map, which are strings in JSON.</summary>
internal abstract class KeyCodec<T>
{
    public abstract void Write(T key, ref JsonOutput json);

    /// <summary>Reads a key.</summary>
    /// <param name="text">The key without quotes and escapes.</param>
    /// <param name="json">Stands after the key.</param>
    public abstract T Read(scoped ReadOnlySpan<byte> text, ref JsonScanner json);
}

/// <summary>string keys.</summary>
internal sealed class StringKeyCodec : KeyCodec<string>
{
    public override void Write(string key, ref JsonOutput json) => json.String(key);

    public override string Read(scoped ReadOnlySpan<byte> text, ref JsonScanner json) => Encoding.UTF8.GetString(text);
}

/// <summary>bool keys.</summary>
internal sealed class BoolKeyCodec : KeyCodec<bool>
{
    public override void Write(bool key, ref JsonOutput json) => json.Raw(key ? "\"true\""u8 : "\"false\""u8);

    public override bool Read(scoped ReadOnlySpan<byte> text, ref JsonScanner json) =>
        text.SequenceEqual("true"u8) || (text.SequenceEqual("false"u8)
            ? false
            : throw json.Fail(JsonErrorReason.WrongType, "the key must be \"true\" or \"false\""));
}

/// <summary>Keys of the integer types of at most 64 bits with a sign, and of uint32.</summary>
internal sealed class IntegerKeyCodec<T>(long min, long max, Func<long, T> from, Func<T, long> to) : KeyCodec<T>
{
    public override void Write(T key, ref JsonOutput json)
    {
        json.Byte((byte)'"');
        json.Int64(to(key));
        json.Byte((byte)'"');
    }

    public override T Read(scoped ReadOnlySpan<byte> text, ref JsonScanner json) =>
        from(ScalarText.ToInteger(text, ref json, min, (ulong)max));
}

/// <summary>uint64 and fixed64 keys.</summary>
internal sealed class UInt64KeyCodec : KeyCodec<ulong>
{
    public override void Write(ulong key, ref JsonOutput json)
    {
        json.Byte((byte)'"');
        json.UInt64(key);
        json.Byte((byte)'"');
    }

    public override ulong Read(scoped ReadOnlySpan<byte> text, ref JsonScanner json) =>
        (ulong)ScalarText.ToInteger(text, ref json, 0, ulong.MaxValue);
}
