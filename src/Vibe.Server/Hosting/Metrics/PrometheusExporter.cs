using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Vibe.Server.Hosting.Metrics;

/// <summary>Turns what was measured into Prometheus' text when it is asked for, and never by itself. One asks at a time.</summary>
[ExportModes(ExportModes.Pull)]
internal sealed class PrometheusExporter : BaseExporter<Metric>, IPullMetricExporter
{
    private readonly Lock _gate = new();
    private string _text = "";

    /// <summary>Set by the reader: lets it collect, for at most so many milliseconds.</summary>
    public Func<int, bool>? Collect { get; set; }

    /// <summary>Everything measured so far.</summary>
    public string Scrape()
    {
        lock (_gate)
        {
            Collect?.Invoke(Timeout.Infinite);
            return _text;
        }
    }

    /// <inheritdoc/>
    public override ExportResult Export(in Batch<Metric> batch)
    {
        var text = new PrometheusText();
        text.WriteInfo(ParentProvider.GetResource());
        List<Metric> metrics = [];
        foreach (var metric in batch)
        {
            metrics.Add(metric);
        }

        // One family stands together, also when two components measure under one name.
        foreach (var family in metrics.GroupBy(PrometheusNames.Of, StringComparer.Ordinal).OrderBy(static family => family.Key, StringComparer.Ordinal))
        {
            text.Write(family.Key, [.. family]);
        }

        _text = text.ToString();
        return ExportResult.Success;
    }
}
