using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using Vibe.Server.Hosting.Metrics;

namespace Vibe.Server.Tests.Hosting;

/// <summary>The corners of the text format; that a server's own metrics keep to it is checked from outside.</summary>
public sealed class PrometheusTextTests
{
    [Theory]
    [InlineData("rpc.server.call.duration", "s", false, false, "rpc_server_call_duration_seconds")]
    [InlineData("vibe.mails", "{mail}", true, false, "vibe_mails_total")]
    [InlineData("sent.bytes", "By", true, false, "sent_bytes_total")]
    [InlineData("share", "1", false, true, "share_ratio")]
    [InlineData("share", "1", false, false, "share")]
    [InlineData("speed", "By/s", false, false, "speed_bytes_per_seconds")]
    [InlineData("9 lives--left", null, false, false, "_9_lives_left")]
    [InlineData("count_total", null, true, false, "count_total")]
    public void A_name_is_made_as_OpenTelemetry_says(string name, string? unit, bool isTotal, bool isRatio, string expected) =>
        Assert.Equal(expected, PrometheusNames.Of(name, unit, isTotal, isRatio));

    [Fact]
    public void Labels_numbers_and_help_are_escaped_and_families_stand_together()
    {
        var name = $"Test.{Guid.NewGuid():N}";
        using var meter = new Meter(name);
        using var second = new Meter($"{name}.second");
        using var exporter = new PrometheusExporter();
        using var provider = Sdk.CreateMeterProviderBuilder().ConfigureResource(static resource => resource.Clear())
            .AddMeter($"{name}*").AddReader(new BaseExportingMetricReader(exporter)).Build();
        var odd = meter.CreateCounter<long>("odd", null, "a\\b\nc");
        odd.Add(1, new("k", "quote \" back \\ line \n end"), new("a.b", true), new("a-b", 2.5));
        meter.CreateObservableGauge("numbers", static () => new Measurement<double>[]
        {
            new(double.NaN, new KeyValuePair<string, object?>("n", 1)),
            new(double.PositiveInfinity, new KeyValuePair<string, object?>("n", 2)),
            new(1e21, new KeyValuePair<string, object?>("n", 3)),
        });
        var times = meter.CreateHistogram("times", "s", null, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] });
        times.Record(0.5);
        times.Record(7);
        meter.CreateUpDownCounter<int>("same").Add(1, new KeyValuePair<string, object?>("from", "first"));
        second.CreateUpDownCounter<int>("same").Add(2, new KeyValuePair<string, object?>("from", "second"));

        Assert.Equal(
            """
            # HELP target_info Who is measured.
            # TYPE target_info gauge
            target_info 1
            # TYPE numbers gauge
            numbers{n="1"} NaN
            numbers{n="2"} +Inf
            numbers{n="3"} 1E+21
            # HELP odd_total a\\b\nc
            # TYPE odd_total counter
            odd_total{a_b="2.5;true",k="quote \" back \\ line \n end"} 1
            # TYPE same gauge
            same{from="first"} 1
            same{from="second"} 2
            # TYPE times_seconds histogram
            times_seconds_bucket{le="0.5"} 1
            times_seconds_bucket{le="1"} 1
            times_seconds_bucket{le="+Inf"} 2
            times_seconds_sum 7.5
            times_seconds_count 2

            """.ReplaceLineEndings("\n"),
            exporter.Scrape());
    }
}
