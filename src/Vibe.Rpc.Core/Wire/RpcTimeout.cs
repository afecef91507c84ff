using System.Globalization;

namespace Vibe.Rpc.Wire;

/// <summary>Time-outs as headers: <c>grpc-timeout</c> (gRPC) and <c>Connect-Timeout-Ms</c> (Connect).</summary>
internal static class RpcTimeout
{
    private const int MaxGrpcDigits = 8;
    private const int MaxConnectDigits = 10;
    private const long MaxGrpcValue = 99_999_999;

    /// <summary>The longest delay that a timer takes, some 49 days; whoever waits longer sets the timer again.</summary>
    public static readonly TimeSpan MaxTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    /// <summary>
    /// A <c>grpc-timeout</c> in the finest unit that fits eight digits, rounded up: the server must not give up before the client.
    /// What has passed already becomes the shortest time-out there is.
    /// </summary>
    public static string FormatGrpc(TimeSpan timeout)
    {
        var ticks = timeout.Ticks;
        if (ticks <= 0)
        {
            return "1n";
        }

        if (ticks <= MaxGrpcValue / TimeSpan.NanosecondsPerTick)
        {
            return Text(ticks * TimeSpan.NanosecondsPerTick, 'n');
        }

        ReadOnlySpan<(long Ticks, char Unit)> units =
        [
            (TimeSpan.TicksPerMicrosecond, 'u'),
            (TimeSpan.TicksPerMillisecond, 'm'),
            (TimeSpan.TicksPerSecond, 'S'),
            (TimeSpan.TicksPerMinute, 'M'),
        ];
        foreach (var (ticksPerUnit, unit) in units)
        {
            var value = DivideUp(ticks, ticksPerUnit);
            if (value <= MaxGrpcValue)
            {
                return Text(value, unit);
            }
        }

        // The longest TimeSpan is 256 million hours, which is nine digits.
        return Text(Math.Min(DivideUp(ticks, TimeSpan.TicksPerHour), MaxGrpcValue), 'H');
    }

    /// <summary>Reads a <c>grpc-timeout</c>: one to eight digits and a unit. Nothing it accepts overflows.</summary>
    public static bool TryParseGrpc(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > MaxGrpcDigits + 1 || !TryParseDigits(text[..^1], out var value))
        {
            return false;
        }

        long? ticks = text[^1] switch
        {
            'n' => DivideUp(value, TimeSpan.NanosecondsPerTick),
            'u' => value * TimeSpan.TicksPerMicrosecond,
            'm' => value * TimeSpan.TicksPerMillisecond,
            'S' => value * TimeSpan.TicksPerSecond,
            'M' => value * TimeSpan.TicksPerMinute,
            'H' => value * TimeSpan.TicksPerHour,
            _ => null,
        };
        timeout = new TimeSpan(ticks ?? 0);
        return ticks is not null;
    }

    /// <summary>Reads a <c>Connect-Timeout-Ms</c>: one to ten digits.</summary>
    public static bool TryParseConnect(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 1 or > MaxConnectDigits || !TryParseDigits(text, out var value))
        {
            return false;
        }

        timeout = new TimeSpan(value * TimeSpan.TicksPerMillisecond);
        return true;
    }

    /// <summary>The moment a time-out ends, at most <see cref="DateTime.MaxValue"/>.</summary>
    public static DateTime DeadlineAfter(DateTime utcNow, TimeSpan timeout) =>
        timeout > DateTime.MaxValue - utcNow ? DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc) : utcNow + timeout;

    /// <summary>The delay as a timer takes it: not negative, and no longer than <see cref="MaxTimer"/>.</summary>
    public static TimeSpan ClampToTimer(TimeSpan delay) =>
        delay < TimeSpan.Zero ? TimeSpan.Zero : delay > MaxTimer ? MaxTimer : delay;

    private static bool TryParseDigits(ReadOnlySpan<char> digits, out long value) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static string Text(long value, char unit) => string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");

    private static long DivideUp(long dividend, long divisor) => (dividend / divisor) + (dividend % divisor > 0 ? 1 : 0);
}
