using Microsoft.AspNetCore.Http.Features;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Vibe.Server.Hosting.Metrics;

namespace Vibe.Server.Hosting;

/// <summary>
/// Sends traces and metrics by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set (the other <c>OTEL_*</c> variables work as
/// OpenTelemetry defines them), and keeps metrics for Prometheus when <c>VIBE_METRICS_TOKEN</c> is. Without either nobody
/// listens, and measuring costs nothing.
/// </summary>
internal sealed class Telemetry : IDisposable
{
    // ASP.NET Core traces requests under its bare name, and measures under one name a component.
    private static readonly string[] Sources = ["Vibe.*", "Npgsql", "Microsoft.AspNetCore"];
    private static readonly string[] Meters =
        ["Vibe.*", "Npgsql", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime"];

    private readonly TracerProvider? _traces;
    private readonly MeterProvider? _metrics;
    private readonly PrometheusExporter? _prometheus;
    private readonly string? _metricsToken;

    private Telemetry(bool sends, string? metricsToken)
    {
        var resource = ResourceBuilder.CreateDefault().AddService("vibe", serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString());
        if (sends)
        {
            _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Sources).AddOtlpExporter().Build();
        }

        _metricsToken = metricsToken;
        if (!sends && metricsToken is null)
        {
            return;
        }

        var metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Meters);
        if (sends)
        {
            metrics.AddOtlpExporter();
        }

        if (metricsToken is not null)
        {
            _prometheus = new PrometheusExporter();
            metrics.AddReader(new BaseExportingMetricReader(_prometheus));
        }

        _metrics = metrics.Build();
    }

    /// <summary>Starts what was asked for.</summary>
    /// <exception cref="Refusal">A setting cannot be used.</exception>
    public static Telemetry Start() =>
        new(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 }, MetricsEndpoint.ReadToken());

    /// <summary>Maps <c>/metrics</c>, and names the spans of requests when somebody traces.</summary>
    public void Use(WebApplication app)
    {
        app.MapMetrics(_metricsToken, _prometheus is null ? null : _prometheus.Scrape);
        if (_traces is not null)
        {
            app.Use(static async (http, next) =>
            {
                NameSpan(http);
                await next(http);
                http.Features.Get<IHttpActivityFeature>()?.Activity.SetTag("http.response.status_code", http.Response.StatusCode);
            });
        }
    }

    // As the HTTP conventions do, by method and route: never by the address, of which there is one for each document.
    private static void NameSpan(HttpContext http)
    {
        if (http.Features.Get<IHttpActivityFeature>()?.Activity is not { } span || span.GetTagItem("http.request.method") is not string method)
        {
            return;
        }

        span.DisplayName = method;
        if (http.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: { } route })
        {
            span.SetTag("http.route", route);
            span.DisplayName = $"{method} {route}";
        }
    }

    /// <summary>Sends what is left.</summary>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }
}
