using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Vibe.Server.Hosting;

/// <summary>
/// Sends traces and metrics by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set; the other <c>OTEL_*</c> variables work as
/// OpenTelemetry defines them. Without it nobody listens, and measuring costs nothing.
/// </summary>
internal sealed class Telemetry : IDisposable
{
    // ASP.NET Core traces requests under its bare name, and measures under one name a component.
    private static readonly string[] Sources = ["Vibe.*", "Npgsql", "Microsoft.AspNetCore"];
    private static readonly string[] Meters = ["Vibe.*", "Npgsql", "Microsoft.AspNetCore.*", "System.Runtime"];

    private readonly TracerProvider? _traces;
    private readonly MeterProvider? _metrics;

    private Telemetry(TracerProvider? traces, MeterProvider? metrics)
    {
        _traces = traces;
        _metrics = metrics;
    }

    /// <summary>Starts exporting when asked to.</summary>
    public static Telemetry Start()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT")))
        {
            return new Telemetry(null, null);
        }

        var resource = ResourceBuilder.CreateDefault().AddService("vibe", serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString());
        return new Telemetry(
            Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Sources).AddOtlpExporter().Build(),
            Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Meters).AddOtlpExporter().Build());
    }

    /// <summary>Sends what is left.</summary>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }
}
