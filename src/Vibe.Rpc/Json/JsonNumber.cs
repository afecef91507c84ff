using System.Globalization;

namespace Vibe.Rpc.Json;

/// <summary>The grammar and the values of JSON numbers (RFC 8259 section 6).</summary>
internal static class JsonNumber
{
    // Up to 10^22 powers of ten are exact doubles, so one division rounds once: the shortcut of Clinger's algorithm.
    private static readonly double[] ExactPowers =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    /// <summary>How integer text turned out.</summary>
    public enum Outcome
    {
        /// <summary>A whole number of at most 64 bits.</summary>
        Ok,

        /// <summary>Not a number, or one with a fraction.</summary>
        Invalid,

        /// <summary>A whole number of more than 64 bits.</summary>
        TooLarge,
    }

    /// <summary>The length of the number at the start of the text; 0 when there is none.</summary>
    public static int Match(ReadOnlySpan<byte> text)
    {
        var position = text.Length > 0 && text[0] == '-' ? 1 : 0;
        var digits = Digits(text, position);
        if (digits == 0)
        {
            return 0;
        }

        position += text[position] == '0' ? 1 : digits;
        if (position < text.Length && text[position] == '.')
        {
            digits = Digits(text, position + 1);
            if (digits == 0)
            {
                return 0;
            }

            position += 1 + digits;
        }

        if (position < text.Length && (text[position] | 0x20) == 'e')
        {
            var sign = position + 1 < text.Length && text[position + 1] is (byte)'+' or (byte)'-' ? 1 : 0;
            digits = Digits(text, position + 1 + sign);
            if (digits == 0)
            {
                return 0;
            }

            position += 1 + sign + digits;
        }

        return position;
    }

    /// <summary>The nearest double; infinite when there is none.</summary>
    /// <param name="number">Text that <see cref="Match"/> accepts as a whole.</param>
    public static double ToDouble(ReadOnlySpan<byte> number)
    {
        var negative = number[0] == '-';
        long mantissa = 0;
        var point = -1;
        var position = negative ? 1 : 0;
        if (number.Length - position <= 16)
        {
            for (; position < number.Length; position++)
            {
                var digit = number[position] - '0';
                if ((uint)digit <= 9)
                {
                    mantissa = (mantissa * 10) + digit;
                }
                else if (digit == '.' - '0')
                {
                    point = position + 1;
                }
                else
                {
                    return Parse(number);
                }
            }

            // 16 digits may exceed 2^53; a point leaves 15.
            if (mantissa <= 1L << 53)
            {
                var value = point < 0 ? mantissa : mantissa / ExactPowers[number.Length - point];
                return negative ? -value : value;
            }
        }

        return Parse(number);
    }

    /// <summary>The nearest float; infinite when there is none.</summary>
    /// <param name="number">Text that <see cref="Match"/> accepts as a whole.</param>
    public static float ToSingle(ReadOnlySpan<byte> number) => float.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <summary>Reads a whole number, exactly: <c>1.5e1</c> is 15, <c>1.00</c> is 1.</summary>
    /// <param name="number">Any text.</param>
    /// <param name="magnitude">The absolute value.</param>
    /// <param name="negative">Whether it is below zero; never for -0.</param>
    public static Outcome ToInteger(ReadOnlySpan<byte> number, out ulong magnitude, out bool negative)
    {
        magnitude = 0;
        negative = false;
        if (number.Length == 0 || Match(number) != number.Length)
        {
            return Outcome.Invalid;
        }

        var minus = number[0] == '-';
        number = minus ? number[1..] : number;
        var outcome = number.ContainsAny((byte)'.', (byte)'e', (byte)'E') ? Scaled(number, out magnitude) : Plain(number, 0, out magnitude);
        negative = minus && magnitude != 0;
        return outcome;
    }

    private static double Parse(ReadOnlySpan<byte> number) => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static int Digits(ReadOnlySpan<byte> text, int from)
    {
        var position = from;
        while ((uint)position < (uint)text.Length && (uint)(text[position] - '0') <= 9)
        {
            position++;
        }

        return position - from;
    }

    private static Outcome Scaled(ReadOnlySpan<byte> number, out ulong magnitude)
    {
        magnitude = 0;
        var exponent = 0;
        var e = number.IndexOfAny((byte)'e', (byte)'E');
        if (e >= 0)
        {
            // An exponent too long for an int is as good as a million: the digits decide what that means.
            if (!int.TryParse(number[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            {
                exponent = number[e + 1] == '-' ? -1_000_000 : 1_000_000;
            }

            number = number[..e];
        }

        var point = number.IndexOf((byte)'.');
        var whole = point < 0 ? number : number[..point];
        var fraction = point < 0 ? default : number[(point + 1)..].TrimEnd((byte)'0');
        var digits = whole.Length + fraction.Length <= 64 ? stackalloc byte[64] : new byte[whole.Length + fraction.Length];
        whole.CopyTo(digits);
        fraction.CopyTo(digits[whole.Length..]);
        ReadOnlySpan<byte> significant = digits[..(whole.Length + fraction.Length)];
        significant = significant.TrimStart((byte)'0');
        if (significant.IsEmpty)
        {
            return Outcome.Ok;
        }

        var scale = Math.Clamp(exponent, -1_000_000_000, 1_000_000_000) - fraction.Length;
        var trimmed = significant.TrimEnd((byte)'0');
        scale += significant.Length - trimmed.Length;
        return scale < 0 ? Outcome.Invalid : Plain(trimmed, scale, out magnitude);
    }

    private static Outcome Plain(ReadOnlySpan<byte> digits, int zeros, out ulong magnitude)
    {
        magnitude = 0;
        if ((long)digits.Length + zeros > 20)
        {
            return Outcome.TooLarge;
        }

        UInt128 value = 0;
        if (digits.Length + zeros <= 19)
        {
            foreach (var digit in digits)
            {
                magnitude = (magnitude * 10) + (ulong)(digit - '0');
            }

            for (; zeros > 0; zeros--)
            {
                magnitude *= 10;
            }

            return Outcome.Ok;
        }

        foreach (var digit in digits)
        {
            value = (value * 10) + (ulong)(digit - '0');
        }

        for (; zeros > 0; zeros--)
        {
            value *= 10;
        }

        if (value > ulong.MaxValue)
        {
            return Outcome.TooLarge;
        }

        magnitude = (ulong)value;
        return Outcome.Ok;
    }
}
