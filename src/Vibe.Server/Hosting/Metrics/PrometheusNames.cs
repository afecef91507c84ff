using System.Text;
using OpenTelemetry.Metrics;

namespace Vibe.Server.Hosting.Metrics;

/// <summary>
/// What Prometheus calls a metric, after OpenTelemetry's rules for it: words joined by <c>_</c>, then the unit in full, then
/// <c>_total</c> for what only grows. <c>rpc.server.call.duration</c> in <c>s</c> is <c>rpc_server_call_duration_seconds</c>.
/// </summary>
internal static class PrometheusNames
{
    /// <summary>The name of a metric.</summary>
    public static string Of(Metric metric) => Of(
        metric.Name, metric.Unit,
        isTotal: metric.MetricType is MetricType.LongSum or MetricType.DoubleSum,
        isRatio: metric.MetricType is MetricType.LongGauge or MetricType.DoubleGauge);

    /// <summary>The name of a metric.</summary>
    /// <param name="name">OpenTelemetry's.</param>
    /// <param name="unit">In UCUM, as OpenTelemetry writes it; <c>{calls}</c> says nothing that the name does not.</param>
    /// <param name="isTotal">Whether it only grows.</param>
    /// <param name="isRatio">Whether the unit <c>1</c> means a share.</param>
    public static string Of(string name, string? unit, bool isTotal, bool isRatio)
    {
        var result = Clean(name, allowsColon: true);
        var words = UnitOf(unit, isRatio);
        if (words.Length > 0 && result != words && !result.EndsWith('_' + words, StringComparison.Ordinal))
        {
            result = $"{result}_{words}";
        }

        return isTotal && !result.EndsWith("_total", StringComparison.Ordinal) ? $"{result}_total" : result;
    }

    /// <summary>The name of a label.</summary>
    public static string OfLabel(string name) => Clean(name, allowsColon: false);

    // [a-zA-Z_:][a-zA-Z0-9_:]*; labels without the colon.
    private static string Clean(string name, bool allowsColon)
    {
        var result = new StringBuilder(name.Length + 1);
        foreach (var letter in name)
        {
            if (char.IsAsciiLetter(letter) || char.IsAsciiDigit(letter) || (allowsColon && letter == ':'))
            {
                if (result.Length == 0 && char.IsAsciiDigit(letter))
                {
                    result.Append('_');
                }

                result.Append(letter);
            }
            else if (result.Length == 0 || result[^1] != '_')
            {
                result.Append('_');
            }
        }

        return result.Length == 0 ? "_" : result.ToString();
    }

    private static string UnitOf(string? unit, bool isRatio)
    {
        if (string.IsNullOrEmpty(unit) || unit[0] == '{')
        {
            return "";
        }

        return unit.IndexOf('/', StringComparison.Ordinal) is var slash and > 0
            ? $"{Word(unit[..slash], isRatio)}_per_{Word(unit[(slash + 1)..], isRatio)}"
            : Word(unit, isRatio);
    }

    private static string Word(string unit, bool isRatio) => unit switch
    {
        "s" => "seconds",
        "ms" => "milliseconds",
        "By" => "bytes",
        "%" => "percent",
        "1" => isRatio ? "ratio" : "",
        _ => Clean(unit, allowsColon: false),
    };
}
