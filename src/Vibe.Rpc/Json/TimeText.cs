namespace Vibe.Rpc.Json;

/// <summary>The text forms of timestamps (RFC 3339) and durations.</summary>
internal static class TimeText
{
    private const long MinSeconds = -62_135_596_800;
    private const long MaxSeconds = 253_402_300_799;
    private const long MaxDuration = 315_576_000_000;
    private const int NanosPerSecond = 1_000_000_000;

    /// <summary>Writes a timestamp in quotes.</summary>
    public static bool TryWriteTimestamp(long seconds, int nanos, ref JsonOutput json)
    {
        if (seconds is < MinSeconds or > MaxSeconds || nanos is < 0 or >= NanosPerSecond)
        {
            return false;
        }

        var time = DateTime.UnixEpoch.AddTicks(seconds * TimeSpan.TicksPerSecond);
        json.Byte((byte)'"');
        json.Digits((uint)time.Year, 4);
        json.Byte((byte)'-');
        json.Digits((uint)time.Month, 2);
        json.Byte((byte)'-');
        json.Digits((uint)time.Day, 2);
        json.Byte((byte)'T');
        json.Digits((uint)time.Hour, 2);
        json.Byte((byte)':');
        json.Digits((uint)time.Minute, 2);
        json.Byte((byte)':');
        json.Digits((uint)time.Second, 2);
        Fraction(nanos, ref json);
        json.Raw("Z\""u8);
        return true;
    }

    /// <summary>Writes a duration in quotes.</summary>
    public static bool TryWriteDuration(long seconds, int nanos, ref JsonOutput json)
    {
        if (!IsDuration(seconds, nanos))
        {
            return false;
        }

        json.Byte((byte)'"');
        if (seconds < 0 || nanos < 0)
        {
            json.Byte((byte)'-');
        }

        json.Int64(Math.Abs(seconds));
        Fraction(Math.Abs(nanos), ref json);
        json.Raw("s\""u8);
        return true;
    }

    /// <summary>Reads a timestamp: a capital T, an offset or Z, no leap second.</summary>
    public static bool TryParseTimestamp(ReadOnlySpan<byte> text, out long seconds, out int nanos)
    {
        (seconds, nanos) = (0, 0);
        if (text.Length < 20
            || !TryDigits(text[..4], out var year) || text[4] != '-' || !TryDigits(text[5..7], out var month) || text[7] != '-'
            || !TryDigits(text[8..10], out var day) || text[10] != 'T'
            || !TryDigits(text[11..13], out var hour) || text[13] != ':' || !TryDigits(text[14..16], out var minute) || text[16] != ':'
            || !TryDigits(text[17..19], out var second))
        {
            return false;
        }

        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }

        var rest = text[19..];
        if (!TryFraction(ref rest, out nanos) || !TryOffset(rest, out var offset))
        {
            return false;
        }

        var time = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc);
        seconds = ((time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond) - offset;
        return seconds is >= MinSeconds and <= MaxSeconds;
    }

    /// <summary>Reads a duration.</summary>
    public static bool TryParseDuration(ReadOnlySpan<byte> text, out long seconds, out int nanos)
    {
        (seconds, nanos) = (0, 0);
        var negative = text.Length > 0 && text[0] == '-';
        text = negative ? text[1..] : text;
        var digits = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits is < 1 or > 12)
        {
            return false;
        }

        foreach (var digit in text[..digits])
        {
            seconds = (seconds * 10) + (digit - '0');
        }

        text = text[digits..];
        if (!TryFraction(ref text, out nanos) || text is not [(byte)'s'])
        {
            return false;
        }

        (seconds, nanos) = negative ? (-seconds, -nanos) : (seconds, nanos);
        return IsDuration(seconds, nanos);
    }

    private static bool IsDuration(long seconds, int nanos) =>
        seconds is >= -MaxDuration and <= MaxDuration && nanos is > -NanosPerSecond and < NanosPerSecond
        && !(seconds < 0 && nanos > 0) && !(seconds > 0 && nanos < 0);

    private static void Fraction(int nanos, ref JsonOutput json)
    {
        if (nanos == 0)
        {
            return;
        }

        json.Byte((byte)'.');
        var (value, count) = nanos switch
        {
            _ when nanos % 1_000_000 == 0 => (nanos / 1_000_000, 3),
            _ when nanos % 1_000 == 0 => (nanos / 1_000, 6),
            _ => (nanos, 9),
        };
        json.Digits((uint)value, count);
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var letter in text)
        {
            if (!char.IsAsciiDigit((char)letter))
            {
                return false;
            }

            value = (value * 10) + (letter - '0');
        }

        return true;
    }

    private static bool TryFraction(ref ReadOnlySpan<byte> text, out int nanos)
    {
        nanos = 0;
        if (text.IsEmpty || text[0] != '.')
        {
            return true;
        }

        var digits = text[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits is < 1 or > 9)
        {
            return false;
        }

        TryDigits(text.Slice(1, digits), out nanos);
        for (var i = digits; i < 9; i++)
        {
            nanos *= 10;
        }

        text = text[(1 + digits)..];
        return true;
    }

    private static bool TryOffset(ReadOnlySpan<byte> text, out int seconds)
    {
        seconds = 0;
        if (text is [(byte)'Z'])
        {
            return true;
        }

        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':'
            || !TryDigits(text[1..3], out var hours) || !TryDigits(text[4..], out var minutes) || hours > 23 || minutes > 59)
        {
            return false;
        }

        seconds = ((hours * 60) + minutes) * (text[0] == '-' ? -60 : 60);
        return true;
    }
}
