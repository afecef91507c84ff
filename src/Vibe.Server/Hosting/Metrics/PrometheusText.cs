using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Vibe.Server.Hosting.Metrics;

/// <summary>Writes Prometheus' text exposition format, version 0.0.4.</summary>
internal sealed class PrometheusText
{
    /// <summary>The media type of the text.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new(32 * 1024);

    /// <summary>Says whose metrics these are.</summary>
    public void WriteInfo(Resource resource)
    {
        Head("target_info", "Who is measured.", "gauge");
        // Only names and versions: other attributes say what scraping says anyway.
        Line("target_info", Labels(resource.Attributes.Where(static attribute => attribute.Key is "service.name" or "service.version")), 1);
    }

    /// <summary>Writes a family of metrics. What is under the name but of another kind is left out: a family has one.</summary>
    public void Write(string name, IReadOnlyList<Metric> metrics)
    {
        var kind = KindOf(metrics[0].MetricType);
        if (kind is null)
        {
            return;
        }

        Head(name, metrics[0].Description, kind);
        foreach (var metric in metrics.Where(metric => KindOf(metric.MetricType) == kind))
        {
            foreach (ref readonly var point in metric.GetMetricPoints())
            {
                var tags = Pairs(point.Tags);
                if (!IsUnnamedPool(tags))
                {
                    Write(name, Labels(tags), metric.MetricType, point);
                }
            }
        }
    }

    /// <summary>The text so far.</summary>
    public override string ToString() => _text.ToString();

    // A connection outside of the pools, which the driver calls by its connection string: many labels for one connection each.
    private static bool IsUnnamedPool(List<KeyValuePair<string, object>> tags) =>
        tags.Exists(static tag => tag is { Key: "db.client.connection.pool.name", Value: string name } && name.Contains('=', StringComparison.Ordinal));

    private void Write(string name, string labels, MetricType type, in MetricPoint point)
    {
        switch (type)
        {
            case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                Line(name, labels, point.GetSumLong());
                break;
            case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                Line(name, labels, point.GetSumDouble());
                break;
            case MetricType.LongGauge:
                Line(name, labels, point.GetGaugeLastValueLong());
                break;
            case MetricType.DoubleGauge:
                Line(name, labels, point.GetGaugeLastValueDouble());
                break;
            default:
                WriteHistogram(name, labels, point);
                break;
        }
    }

    private void WriteHistogram(string name, string labels, in MetricPoint point)
    {
        long count = 0;
        var separator = labels.Length > 0 ? "," : "";
        foreach (var bucket in point.GetHistogramBuckets())
        {
            count += bucket.BucketCount;
            Line($"{name}_bucket", $"{labels}{separator}le=\"{Number(bucket.ExplicitBound)}\"", count);
        }

        Line($"{name}_sum", labels, point.GetHistogramSum());
        // The sum of the buckets, which is the same count: the format wants it to be equal to the last bucket.
        Line($"{name}_count", labels, count);
    }

    private void Head(string name, string? help, string kind)
    {
        if (!string.IsNullOrEmpty(help))
        {
            _text.Append("# HELP ").Append(name).Append(' ').Append(Escape(help, quotes: false)).Append('\n');
        }

        _text.Append("# TYPE ").Append(name).Append(' ').Append(kind).Append('\n');
    }

    private void Line(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0)
        {
            _text.Append('{').Append(labels).Append('}');
        }

        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    // Two names that become one are told as one label with both values, as OpenTelemetry says.
    private static string Labels(IEnumerable<KeyValuePair<string, object>> tags) => string.Join(',', tags
        .GroupBy(static tag => PrometheusNames.OfLabel(tag.Key), StringComparer.Ordinal)
        .Select(static label => $"{label.Key}=\"{Escape(string.Join(';', label.Select(static tag => Value(tag.Value))), quotes: true)}\""));

    private static List<KeyValuePair<string, object>> Pairs(ReadOnlyTagCollection tags)
    {
        List<KeyValuePair<string, object>> pairs = new(tags.Count);
        foreach (var (key, value) in tags)
        {
            if (value is not null)
            {
                pairs.Add(new(key, value));
            }
        }

        return pairs;
    }

    private static string Value(object value) => value is bool flag ? (flag ? "true" : "false") : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString(CultureInfo.InvariantCulture),
    };

    private static string Escape(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }

    private static string? KindOf(MetricType type) => type switch
    {
        MetricType.LongSum or MetricType.DoubleSum => "counter",
        MetricType.LongGauge or MetricType.DoubleGauge or MetricType.LongSumNonMonotonic or MetricType.DoubleSumNonMonotonic => "gauge",
        MetricType.Histogram => "histogram",
        _ => null,
    };
}
