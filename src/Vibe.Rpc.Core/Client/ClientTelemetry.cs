using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>
/// Traces and metrics of calls, under the name <c>Vibe.Rpc.Client</c>, with the names of the OpenTelemetry semantic conventions for
/// gRPC (the stable set: <c>rpc.system.name</c>, <c>rpc.client.call.duration</c>).
/// </summary>
internal static class ClientTelemetry
{
    private const string Name = "Vibe.Rpc.Client";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);

    private static readonly Histogram<double> Duration = Meter.CreateHistogram(
        "rpc.client.call.duration",
        "s",
        "Time from the start of a call to its status, retries included.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = CallDurations.Buckets });

    /// <summary>Starts the span of a call; null when nobody listens. The caller's own current span stays the current one.</summary>
    public static Activity? Start(MethodRoute route)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var current = Activity.Current;
        var activity = Source.StartActivity(
            route.QualifiedName,
            ActivityKind.Client,
            default(ActivityContext),
            [
                new("rpc.system.name", "grpc"),
                new("rpc.method", route.QualifiedName),
                new("server.address", route.ServerAddress),
                new("server.port", route.ServerPort),
            ]);
        Activity.Current = current;
        return activity;
    }

    /// <summary>Ends a call's span and counts the call.</summary>
    public static void End(MethodRoute route, Activity? activity, StatusCode code, TimeSpan elapsed)
    {
        var name = code.ToCanonicalName();
        if (Duration.Enabled)
        {
            var tags = new TagList
            {
                { "rpc.system.name", "grpc" },
                { "rpc.method", route.QualifiedName },
                { "rpc.response.status_code", name },
                { "server.address", route.ServerAddress },
                { "server.port", route.ServerPort },
            };
            if (code != StatusCode.OK)
            {
                tags.Add("error.type", name);
            }

            Duration.Record(elapsed.TotalSeconds, tags);
        }

        if (activity is null)
        {
            return;
        }

        activity.SetTag("rpc.response.status_code", name);
        if (code != StatusCode.OK)
        {
            activity.SetTag("error.type", name);
            activity.SetStatus(ActivityStatusCode.Error);
        }

        // Stopping a span makes its parent the current one, whatever was current here.
        var current = Activity.Current;
        activity.Stop();
        Activity.Current = current == activity ? activity.Parent : current;
    }
}
