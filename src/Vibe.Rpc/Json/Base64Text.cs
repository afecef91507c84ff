using System.Buffers;
using System.Buffers.Text;

namespace Vibe.Rpc.Json;

/// <summary>Decodes base64 and base64url (RFC 4648), with or without padding, without white space.</summary>
internal static class Base64Text
{
    private static readonly SearchValues<byte> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"u8);

    /// <summary>Decodes a text. Bits left over at its end are ignored, as other protobuf implementations do.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, out byte[] bytes)
    {
        bytes = [];
        var content = text.TrimEnd((byte)'=');
        var padding = text.Length - content.Length;
        var tail = content.Length % 4;
        if (padding > 2 || tail == 1 || (padding > 0 && (content.Length + padding) % 4 != 0) || content.ContainsAnyExcept(Alphabet))
        {
            return false;
        }

        bytes = GC.AllocateUninitializedArray<byte>((content.Length / 4 * 3) + (tail == 0 ? 0 : tail - 1));
        var groups = content[..^tail];
        if (groups.ContainsAny((byte)'-', (byte)'_'))
        {
            var standard = ArrayPool<byte>.Shared.Rent(groups.Length);
            groups.Replace(standard, (byte)'-', (byte)'+');
            standard.AsSpan(0, groups.Length).Replace((byte)'_', (byte)'/');
            Base64.DecodeFromUtf8(standard.AsSpan(0, groups.Length), bytes, out _, out _);
            ArrayPool<byte>.Shared.Return(standard);
        }
        else
        {
            Base64.DecodeFromUtf8(groups, bytes, out _, out _);
        }

        Tail(content[^tail..], bytes.AsSpan(content.Length / 4 * 3));
        return true;
    }

    private static void Tail(ReadOnlySpan<byte> tail, Span<byte> destination)
    {
        if (tail.IsEmpty)
        {
            return;
        }

        var bits = (Sextet(tail[0]) << 18) | (Sextet(tail[1]) << 12) | (tail.Length > 2 ? Sextet(tail[2]) << 6 : 0);
        destination[0] = (byte)(bits >> 16);
        if (tail.Length > 2)
        {
            destination[1] = (byte)(bits >> 8);
        }
    }

    private static int Sextet(byte letter) => letter switch
    {
        >= (byte)'A' and <= (byte)'Z' => letter - 'A',
        >= (byte)'a' and <= (byte)'z' => letter - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => letter - '0' + 52,
        (byte)'+' or (byte)'-' => 62,
        _ => 63,
    };
}
