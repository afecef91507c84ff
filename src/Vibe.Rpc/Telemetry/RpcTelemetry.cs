using System.Diagnostics;
using System.Diagnostics.Metrics;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Telemetry;

/// <summary>
/// Traces and metrics under the name <see cref="Name"/>, after OpenTelemetry's RPC semantic conventions. These know one metric, the
/// duration; sizes, counts and calls in progress are our own. When nobody listens a call pays for a few comparisons. The parent of a
/// call's span is ASP.NET Core's, which has read <c>traceparent</c>.
/// </summary>
internal sealed class RpcTelemetry : IDisposable
{
    /// <summary>The name of the ActivitySource and the Meter.</summary>
    public const string Name = "Vibe.Rpc.Server";

    /// <summary>The conventions' name of the Connect protocol.</summary>
    public const string Connect = "connectrpc";

    private static readonly ActivitySource Source = new(Name);

    private readonly Meter _meter;

    public RpcTelemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        Duration = _meter.CreateHistogram(
            "rpc.server.call.duration",
            "s",
            "Time from the request's headers to the end of the call.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = CallDurations.Buckets });
        RequestSize = _meter.CreateHistogram<long>("rpc.server.request.size", "By", "Uncompressed size of a call's request messages.");
        ResponseSize = _meter.CreateHistogram<long>("rpc.server.response.size", "By", "Uncompressed size of a call's response messages.");
        RequestCount = _meter.CreateHistogram<long>("rpc.server.requests_per_rpc", "{count}", "Messages received in a call.");
        ResponseCount = _meter.CreateHistogram<long>("rpc.server.responses_per_rpc", "{count}", "Messages sent in a call.");
        Active = _meter.CreateUpDownCounter<long>("rpc.server.active_calls", "{call}", "Calls in progress.");
    }

    public Histogram<double> Duration { get; }

    public Histogram<long> RequestSize { get; }

    public Histogram<long> ResponseSize { get; }

    public Histogram<long> RequestCount { get; }

    public Histogram<long> ResponseCount { get; }

    public UpDownCounter<long> Active { get; }

    /// <summary>Begins the record of a call.</summary>
    public CallTelemetry Start(RpcCall call)
    {
        var activity = Source.HasListeners() ? Source.StartActivity(call.RpcMethod.QualifiedName, ActivityKind.Server) : null;
        var measured = Duration.Enabled || RequestSize.Enabled || ResponseSize.Enabled || RequestCount.Enabled || ResponseCount.Enabled;
        return activity is null && !measured && !Active.Enabled ? default : new(this, call, activity);
    }

    public void Dispose() => _meter.Dispose();
}
