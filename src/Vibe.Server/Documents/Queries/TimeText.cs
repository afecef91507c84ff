using System.Globalization;

namespace Vibe.Server.Documents.Queries;

/// <summary>Times as RFC 3339 strings, to the microsecond as PostgreSQL keeps them.</summary>
internal static class TimeText
{
    /// <summary>Microseconds since the Unix epoch; finer digits are cut off.</summary>
    /// <exception cref="FormatException">The text is not an RFC 3339 time between the years 1 and 9999.</exception>
    public static long Parse(string text) =>
        TryParse(text, out var microseconds)
            ? microseconds
            : throw new FormatException("a time is an RFC 3339 string: \"2026-01-31T12:30:00Z\"");

    /// <summary>In UTC, with no more digits than needed.</summary>
    public static string Print(long microseconds)
    {
        var time = ToDateTime(microseconds);
        var format = time.Ticks % TimeSpan.TicksPerSecond == 0 ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'";
        return time.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>The time as a UTC <see cref="DateTime"/>.</summary>
    public static DateTime ToDateTime(long microseconds) =>
        DateTime.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    /// <summary>Microseconds since the Unix epoch; finer digits are cut off.</summary>
    public static long FromDateTime(DateTime time) =>
        (time.Ticks / TimeSpan.TicksPerMicrosecond) - (DateTime.UnixEpoch.Ticks / TimeSpan.TicksPerMicrosecond);

    private static bool TryParse(ReadOnlySpan<char> text, out long microseconds)
    {
        microseconds = 0;
        if (text.Length < 20 || text[4] != '-' || text[7] != '-' || text[10] is not ('T' or 't') || text[13] != ':' || text[16] != ':'
            || !Digits(text[..4], out var year) || !Digits(text[5..7], out var month) || !Digits(text[8..10], out var day)
            || !Digits(text[11..13], out var hour) || !Digits(text[14..16], out var minute) || !Digits(text[17..19], out var second)
            || year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)
            || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }

        var rest = text[19..];
        if (!Fraction(ref rest, out var fraction) || !Offset(rest, out var offset))
        {
            return false;
        }

        var local = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks / TimeSpan.TicksPerMicrosecond;
        var utc = local + fraction - (offset * 60_000_000L);
        if (utc < 0 || utc > DateTime.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond)
        {
            return false;
        }

        microseconds = utc - (DateTime.UnixEpoch.Ticks / TimeSpan.TicksPerMicrosecond);
        return true;
    }

    private static bool Fraction(ref ReadOnlySpan<char> rest, out long microseconds)
    {
        microseconds = 0;
        if (rest.IsEmpty || rest[0] != '.')
        {
            return true;
        }

        var length = rest[1..].IndexOfAnyExceptInRange('0', '9');
        if (length <= 0)
        {
            return false;
        }

        for (var i = 0; i < 6; i++)
        {
            microseconds = (microseconds * 10) + (i < length ? rest[1 + i] - '0' : 0);
        }

        rest = rest[(1 + length)..];
        return true;
    }

    private static bool Offset(ReadOnlySpan<char> rest, out int minutes)
    {
        minutes = 0;
        if (rest is "Z" or "z")
        {
            return true;
        }

        if (rest.Length != 6 || rest[0] is not ('+' or '-') || rest[3] != ':'
            || !Digits(rest[1..3], out var hour) || !Digits(rest[4..], out var minute) || hour > 23 || minute > 59)
        {
            return false;
        }

        minutes = ((hour * 60) + minute) * (rest[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool Digits(ReadOnlySpan<char> text, out int value)
    {
        value = 0;
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }

            value = (value * 10) + c - '0';
        }

        return true;
    }
}
