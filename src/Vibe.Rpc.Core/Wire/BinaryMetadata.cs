using System.Buffers;

namespace Vibe.Rpc.Wire;

/// <summary>The form of <c>-bin</c> metadata: base64, sent without padding, accepted with or without it.</summary>
internal static class BinaryMetadata
{
    private const int StackChars = 256;

    /// <summary>Base64 without padding.</summary>
    public static string Encode(ReadOnlySpan<byte> value)
    {
        char[]? rented = null;
        var maxChars = (value.Length + 2) / 3 * 4;
        var chars = maxChars <= StackChars ? stackalloc char[StackChars] : rented = ArrayPool<char>.Shared.Rent(maxChars);
        Convert.TryToBase64Chars(value, chars, out var written);
        var encoded = chars[..written].TrimEnd('=').ToString();
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented);
        }

        return encoded;
    }

    /// <summary>Decodes one value; false when it is not base64.</summary>
    public static bool TryDecode(ReadOnlySpan<char> encoded, out byte[] value)
    {
        encoded = encoded.Trim(" \t").TrimEnd('=');
        value = [];

        // One character of four holds six bits, which is no byte; white space inside would slip through Convert.
        if (encoded.Length % 4 == 1 || encoded.ContainsAny(" \t\r\n="))
        {
            return false;
        }

        char[]? rented = null;
        var paddedLength = (encoded.Length + 3) / 4 * 4;
        var padded = paddedLength <= StackChars ? stackalloc char[StackChars] : rented = ArrayPool<char>.Shared.Rent(paddedLength);
        padded = padded[..paddedLength];
        encoded.CopyTo(padded);
        padded[encoded.Length..].Fill('=');
        var bytes = new byte[encoded.Length * 3 / 4];
        var valid = Convert.TryFromBase64Chars(padded, bytes, out var written) && written == bytes.Length;
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented);
        }

        value = valid ? bytes : [];
        return valid;
    }

    /// <summary>Decodes a header line that may hold several values joined by commas; false when one of them is not base64.</summary>
    public static bool TryDecodeList(ReadOnlySpan<char> encoded, List<byte[]> values)
    {
        foreach (var part in encoded.Split(','))
        {
            if (!TryDecode(encoded[part], out var value))
            {
                return false;
            }

            values.Add(value);
        }

        return true;
    }
}
