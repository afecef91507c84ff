using System.Buffers;
using System.Text;

namespace Vibe.Rpc.Json;

/// <summary>Reads what scalar codecs share: text, and numbers that may be written as strings.</summary>
internal static class ScalarText
{
    private const int OnStack = 256;

    /// <summary>Reads a string.</summary>
    public static string Read(ref JsonScanner json)
    {
        var raw = json.ReadString(out var escaped);
        return escaped ? Unescaped(raw) : Encoding.UTF8.GetString(raw);
    }

    /// <summary>The text of a string that has escapes.</summary>
    public static string Unescaped(ReadOnlySpan<byte> raw)
    {
        if (raw.Length <= OnStack)
        {
            Span<byte> small = stackalloc byte[OnStack];
            return Encoding.UTF8.GetString(small[..JsonText.Unescape(raw, small)]);
        }

        var buffer = ArrayPool<byte>.Shared.Rent(raw.Length);
        try
        {
            return Encoding.UTF8.GetString(buffer, 0, JsonText.Unescape(raw, buffer));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a string as bytes; those of one with escapes are a copy.</summary>
    public static ReadOnlySpan<byte> ReadBytes(scoped ref JsonScanner json)
    {
        var raw = json.ReadString(out var escaped);
        return escaped ? Unescape(raw) : raw;
    }

    /// <summary>A copy without escapes.</summary>
    public static byte[] Unescape(ReadOnlySpan<byte> raw)
    {
        var buffer = new byte[raw.Length];
        return buffer[..JsonText.Unescape(raw, buffer)];
    }

    /// <summary>Reads a number, or a string that should hold one.</summary>
    public static ReadOnlySpan<byte> ReadNumber(scoped ref JsonScanner json, out bool quoted)
    {
        quoted = json.Peek() == '"';
        return quoted ? ReadBytes(ref json) : json.ReadNumber();
    }

    /// <summary>Reads a whole number from its bounds.</summary>
    /// <param name="json">Stands before the number.</param>
    /// <param name="min">The least value, 0 or negative.</param>
    /// <param name="max">The largest value.</param>
    /// <returns>The bits of the value.</returns>
    public static long ReadInteger(ref JsonScanner json, long min, ulong max) =>
        ToInteger(ReadNumber(ref json, out _), ref json, min, max);

    /// <summary>Reads a whole number between two bounds.</summary>
    public static long ToInteger(scoped ReadOnlySpan<byte> text, ref JsonScanner json, long min, ulong max)
    {
        var outcome = JsonNumber.ToInteger(text, out var magnitude, out var negative);
        if (outcome == JsonNumber.Outcome.Invalid)
        {
            throw json.Fail(JsonErrorReason.InvalidNumber, "a whole number is expected");
        }

        if (outcome == JsonNumber.Outcome.TooLarge || magnitude > (negative ? (ulong)-(min + 1) + 1 : max) || (negative && min == 0))
        {
            throw json.Fail(JsonErrorReason.NumberOutOfRange, $"a whole number from {min} to {max} is expected");
        }

        return negative ? -(long)magnitude : (long)magnitude;
    }
}
