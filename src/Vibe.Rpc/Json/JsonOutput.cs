using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Unicode;

namespace Vibe.Rpc.Json;

/// <summary>Writes JSON as UTF-8 straight into a buffer writer.</summary>
internal ref struct JsonOutput(IBufferWriter<byte> output)
{
    private const int ChunkChars = 1024;

    // A message in memory may be nested without end, through Any for one; the stack is not.
    private const int MaxDepth = 250;

    private static readonly char[] EscapedChars = [.. Enumerable.Range(0, 0x20).Select(control => (char)control), '"', '\\'];
    private static readonly SearchValues<char> CharStops = SearchValues.Create(EscapedChars);
    private static readonly SearchValues<byte> ByteStops = SearchValues.Create([.. EscapedChars.Select(character => (byte)character)]);

    private Span<byte> _span = [];
    private int _used;
    private int _depth;

    /// <summary>Hands everything to the buffer writer.</summary>
    public void Flush()
    {
        output.Advance(_used);
        _used = 0;
        _span = [];
    }

    /// <summary>Counts an object or array that starts.</summary>
    public void Enter()
    {
        if (++_depth > MaxDepth)
        {
            throw new JsonCodecException(JsonErrorReason.DepthLimit, $"the message is nested deeper than {MaxDepth} levels");
        }
    }

    /// <summary>Counts an object or array that ends.</summary>
    public void Leave() => _depth--;

    /// <summary>Writes one ASCII character.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Byte(byte value)
    {
        if ((uint)_used >= (uint)_span.Length)
        {
            Grow(1);
        }

        _span[_used++] = value;
    }

    /// <summary>Writes text that needs no escapes.</summary>
    public void Raw(scoped ReadOnlySpan<byte> text)
    {
        Ensure(text.Length);
        text.CopyTo(_span[_used..]);
        _used += text.Length;
    }

    /// <summary>Writes a string in quotes; half surrogate pairs become U+FFFD.</summary>
    public void String(scoped ReadOnlySpan<char> text)
    {
        Byte((byte)'"');
        while (true)
        {
            var plain = text.IndexOfAny(CharStops);
            Plain(plain < 0 ? text : text[..plain]);
            if (plain < 0)
            {
                break;
            }

            Escape((byte)text[plain]);
            text = text[(plain + 1)..];
        }

        Byte((byte)'"');
    }

    /// <summary>Writes a string in quotes.</summary>
    /// <exception cref="StructJsonException">It is not UTF-8.</exception>
    public void Utf8String(scoped ReadOnlySpan<byte> text)
    {
        if (!Utf8.IsValid(text))
        {
            throw new StructJsonException(JsonErrorReason.InvalidUtf8, "a string that is not UTF-8");
        }

        Ensure(2 + text.Length);
        _span[_used++] = (byte)'"';
        while (true)
        {
            var plain = text.IndexOfAny(ByteStops);
            Raw(plain < 0 ? text : text[..plain]);
            if (plain < 0)
            {
                break;
            }

            Escape(text[plain]);
            text = text[(plain + 1)..];
        }

        Byte((byte)'"');
    }

    /// <summary>Writes a whole number.</summary>
    public void Int64(long value)
    {
        Ensure(20);
        Utf8Formatter.TryFormat(value, _span[_used..], out var written);
        _used += written;
    }

    /// <summary>Writes a whole number.</summary>
    public void UInt64(ulong value)
    {
        Ensure(20);
        Utf8Formatter.TryFormat(value, _span[_used..], out var written);
        _used += written;
    }

    /// <summary>Writes a whole number in a fixed count of digits.</summary>
    public void Digits(uint value, int count)
    {
        Ensure(count);
        for (var i = count - 1; i >= 0; i--)
        {
            _span[_used + i] = (byte)('0' + (value % 10));
            value /= 10;
        }

        _used += count;
    }

    /// <summary>Writes a finite number in its shortest form that reads back the same.</summary>
    public void Double(double value)
    {
        // Documents are full of counts; below 2^53 a whole double is exactly that long. -0 is not 0.
        var whole = (long)value;
        if (whole == value && whole is > -(1L << 53) and < 1L << 53 && (whole != 0 || !double.IsNegative(value)))
        {
            Int64(whole);
            return;
        }

        if (TryFewDecimals(value))
        {
            return;
        }

        Ensure(32);
        value.TryFormat(_span[_used..], out var written, default, CultureInfo.InvariantCulture);
        _used += written;
    }

    /// <summary>Writes a finite number in its shortest form that reads back the same.</summary>
    public void Single(float value)
    {
        Ensure(32);
        value.TryFormat(_span[_used..], out var written, default, CultureInfo.InvariantCulture);
        _used += written;
    }

    /// <summary>Writes bytes as base64 in quotes, padded.</summary>
    public void Base64(scoped ReadOnlySpan<byte> bytes)
    {
        // A multiple of three leaves no padding in the middle.
        const int Chunk = 3 * 1024;
        Byte((byte)'"');
        for (var last = false; !last;)
        {
            var chunk = bytes.Length > Chunk ? bytes[..Chunk] : bytes;
            bytes = bytes[chunk.Length..];
            last = bytes.IsEmpty;
            Ensure(System.Buffers.Text.Base64.GetMaxEncodedToUtf8Length(chunk.Length));
            System.Buffers.Text.Base64.EncodeToUtf8(chunk, _span[_used..], out _, out var written);
            _used += written;
        }

        Byte((byte)'"');
    }

    // Prices, ratings, shares: at most four decimals. Decimals of at most 15 digits are all different doubles, so the one that reads
    // back is the shortest; division by a power of ten rounds once, as reading does.
    private bool TryFewDecimals(double value)
    {
        var magnitude = Math.Abs(value);
        if (magnitude >= 1e10)
        {
            return false;
        }

        var power = 1L;
        for (var decimals = 1; decimals <= 4; decimals++)
        {
            power *= 10;
            var scaled = (long)Math.Round(magnitude * power);
            if ((double)scaled / power != magnitude || scaled == 0)
            {
                continue;
            }

            if (value < 0)
            {
                Byte((byte)'-');
            }

            Int64(scaled / power);
            Byte((byte)'.');
            Digits((uint)(scaled % power), decimals);
            return true;
        }

        return false;
    }

    private void Plain(scoped ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            var chunk = text.Length > ChunkChars ? text[..ChunkChars] : text;
            if (chunk.Length < text.Length && char.IsHighSurrogate(chunk[^1]))
            {
                chunk = chunk[..^1];
            }

            Ensure(chunk.Length * 3);
            Utf8.FromUtf16(chunk, _span[_used..], out _, out var written);
            _used += written;
            text = text[chunk.Length..];
        }
    }

    private void Escape(byte character)
    {
        Ensure(6);
        _span[_used++] = (byte)'\\';
        var letter = character switch
        {
            (byte)'"' or (byte)'\\' => character,
            (byte)'\b' => (byte)'b',
            (byte)'\f' => (byte)'f',
            (byte)'\n' => (byte)'n',
            (byte)'\r' => (byte)'r',
            (byte)'\t' => (byte)'t',
            _ => (byte)'u',
        };
        _span[_used++] = letter;
        if (letter == 'u')
        {
            "00"u8.CopyTo(_span[_used..]);
            _span[_used + 2] = (byte)('0' + (character >> 4));
            _span[_used + 3] = "0123456789abcdef"u8[character & 15];
            _used += 4;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Ensure(int more)
    {
        if (_span.Length - _used < more)
        {
            Grow(more);
        }
    }

    private void Grow(int more)
    {
        output.Advance(_used);
        _used = 0;
        _span = output.GetSpan(Math.Max(more, 256));
    }
}
