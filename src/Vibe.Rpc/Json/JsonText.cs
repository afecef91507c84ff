using System.Buffers.Text;
using System.Text;

namespace Vibe.Rpc.Json;

/// <summary>Escapes of JSON strings (RFC 8259 section 7).</summary>
internal static class JsonText
{
    /// <summary>
    /// The length of the escape at the start of the text, a surrogate pair counting as one. 0 when it is no escape, -1 when it is half
    /// of a surrogate pair.
    /// </summary>
    public static int MatchEscape(ReadOnlySpan<byte> text)
    {
        if (text.Length < 2)
        {
            return 0;
        }

        if (text[1] != 'u')
        {
            return text[1] is (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t' ? 2 : 0;
        }

        if (!TryHex(text, out var unit))
        {
            return 0;
        }

        if (!char.IsSurrogate(unit))
        {
            return 6;
        }

        return char.IsHighSurrogate(unit) && text.Length > 7 && text[6] == '\\' && text[7] == 'u'
            && TryHex(text[6..], out var low) && char.IsLowSurrogate(low) ? 12 : -1;
    }

    /// <summary>Writes a string that the scanner accepted without its escapes; the result is never longer.</summary>
    /// <returns>The bytes written.</returns>
    public static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> destination)
    {
        var written = 0;
        while (true)
        {
            var plain = escaped.IndexOf((byte)'\\');
            if (plain < 0)
            {
                escaped.CopyTo(destination[written..]);
                return written + escaped.Length;
            }

            escaped[..plain].CopyTo(destination[written..]);
            written += plain;
            escaped = escaped[plain..];
            if (escaped[1] == 'u')
            {
                TryHex(escaped, out var unit);
                escaped = escaped[6..];
                var rune = default(Rune);
                if (char.IsHighSurrogate(unit))
                {
                    TryHex(escaped, out var low);
                    escaped = escaped[6..];
                    rune = new(unit, low);
                }
                else
                {
                    rune = new(unit);
                }

                written += rune.EncodeToUtf8(destination[written..]);
                continue;
            }

            destination[written++] = escaped[1] switch
            {
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                var same => same,
            };
            escaped = escaped[2..];
        }
    }

    /// <summary>What kind of value starts with that byte; null when none does.</summary>
    public static string? NameOfKind(byte first) => first switch
    {
        (byte)'{' => "an object",
        (byte)'[' => "an array",
        (byte)'"' => "a string",
        (byte)'t' or (byte)'f' => "a boolean",
        (byte)'n' => "null",
        (byte)'-' or (>= (byte)'0' and <= (byte)'9') => "a number",
        _ => null,
    };

    private static bool TryHex(ReadOnlySpan<byte> escape, out char unit)
    {
        unit = '\0';
        if (escape.Length < 6 || !Utf8Parser.TryParse(escape.Slice(2, 4), out ushort value, out var consumed, 'x') || consumed != 4)
        {
            return false;
        }

        unit = (char)value;
        return true;
    }
}
