using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Vibe.Rpc.Rest;

/// <summary>Which rules the text of a URL is decoded by.</summary>
internal enum UrlPart
{
    /// <summary>One path segment: every escape is decoded.</summary>
    Segment,

    /// <summary>Several path segments: <c>%2F</c> stays as written, since decoding it would make it a separator (google.api.HttpRule).</summary>
    Segments,

    /// <summary>A name or value of a query string: every escape is decoded, and <c>+</c> is a space (application/x-www-form-urlencoded).</summary>
    Query,
}

/// <summary>
/// Decodes percent-encoded text. Stricter than the framework's decoders, which pass a broken escape or invalid UTF-8 through:
/// two spellings of a name that only one of two layers tells apart is how a check is walked around.
/// </summary>
internal static class UrlText
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Decodes the text; false for a broken escape, for bytes that are not UTF-8 and for characters outside ASCII.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, UrlPart part, [NotNullWhen(true)] out string? decoded)
    {
        var needsWork = part == UrlPart.Query ? text.IndexOfAny('%', '+') : text.IndexOf('%');
        if (needsWork < 0 && Ascii.IsValid(text))
        {
            decoded = text.ToString();
            return true;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(text.Length);
        try
        {
            decoded = TryUnescape(text, part, buffer, out var length) ? StrictUtf8.GetString(buffer, 0, length) : null;
        }
        catch (DecoderFallbackException)
        {
            decoded = null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return decoded is not null;
    }

    private static bool TryUnescape(ReadOnlySpan<char> text, UrlPart part, byte[] buffer, out int length)
    {
        length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                {
                    return false;
                }

                var octet = (byte)(HexValue(text[i + 1]) << 4 | HexValue(text[i + 2]));
                if (octet != '/' || part != UrlPart.Segments)
                {
                    buffer[length++] = octet;
                    i += 2;
                    continue;
                }
            }
            else if (c > 127)
            {
                return false;
            }

            buffer[length++] = c == '+' && part == UrlPart.Query ? (byte)' ' : (byte)c;
        }

        return true;
    }

    private static int HexValue(char c) => char.IsAsciiDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}
