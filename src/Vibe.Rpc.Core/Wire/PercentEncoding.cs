using System.Buffers;
using System.Text;

namespace Vibe.Rpc.Wire;

/// <summary>
/// The form of <c>grpc-message</c>: UTF-8 in which every byte outside printable ASCII, and <c>%</c> itself, is <c>%XX</c>
/// (gRPC over HTTP/2, "Status-Message").
/// </summary>
internal static class PercentEncoding
{
    private const string Hex = "0123456789ABCDEF";
    private const int StackBytes = 256;

    // %x20-24 and %x26-7E stand for themselves.
    private static readonly SearchValues<char> Unencoded =
        SearchValues.Create(string.Concat(Enumerable.Range(0x20, 0x5F).Where(c => c != '%').Select(c => (char)c)));

    /// <summary>Encodes any text; an unpaired surrogate becomes U+FFFD.</summary>
    public static string Encode(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Unencoded))
        {
            return text;
        }

        byte[]? rented = null;
        var maxBytes = Encoding.UTF8.GetMaxByteCount(text.Length);
        var utf8 = maxBytes <= StackBytes ? stackalloc byte[StackBytes] : rented = ArrayPool<byte>.Shared.Rent(maxBytes);
        utf8 = utf8[..Encoding.UTF8.GetBytes(text, utf8)];
        var length = 0;
        foreach (var b in utf8)
        {
            length += StandsForItself(b) ? 1 : 3;
        }

        var encoded = string.Create(length, (ReadOnlySpan<byte>)utf8, Write);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return encoded;
    }

    /// <summary>Decodes leniently: a broken escape is kept as it is, and invalid UTF-8 becomes U+FFFD. It never fails.</summary>
    public static string Decode(string encoded)
    {
        var first = encoded.IndexOf('%', StringComparison.Ordinal);
        if (first < 0)
        {
            return encoded;
        }

        byte[]? rented = null;
        var maxBytes = Encoding.UTF8.GetMaxByteCount(encoded.Length);
        var utf8 = maxBytes <= StackBytes ? stackalloc byte[StackBytes] : rented = ArrayPool<byte>.Shared.Rent(maxBytes);
        var written = 0;
        var rest = encoded.AsSpan();
        while (!rest.IsEmpty)
        {
            if (rest is ['%', var high, var low, ..] && char.IsAsciiHexDigit(high) && char.IsAsciiHexDigit(low))
            {
                utf8[written++] = (byte)((HexValue(high) << 4) | HexValue(low));
                rest = rest[3..];
                continue;
            }

            var next = rest[1..].IndexOf('%') + 1;
            var plain = next == 0 ? rest : rest[..next];
            written += Encoding.UTF8.GetBytes(plain, utf8[written..]);
            rest = rest[plain.Length..];
        }

        var text = Encoding.UTF8.GetString(utf8[..written]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return text;
    }

    private static void Write(Span<char> destination, ReadOnlySpan<byte> utf8)
    {
        var at = 0;
        foreach (var b in utf8)
        {
            if (StandsForItself(b))
            {
                destination[at++] = (char)b;
                continue;
            }

            destination[at++] = '%';
            destination[at++] = Hex[b >> 4];
            destination[at++] = Hex[b & 0xF];
        }
    }

    private static bool StandsForItself(byte b) => b is >= 0x20 and <= 0x7E and not (byte)'%';

    private static int HexValue(char digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
