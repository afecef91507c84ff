using System.Diagnostics;
using System.Diagnostics.Metrics;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Telemetry;

/// <summary>
/// Traces and metrics under the name <see cref="Name"/>, after OpenTelemetry's RPC semantic conventions. These know one metric, the
/// duration; sizes, counts, calls in progress and failures by reason are our own. When nobody listens a call pays for a few comparisons. The parent of a
/// call's span is ASP.NET Core's, which has read <c>traceparent</c>.
/// </summary>
internal sealed class RpcTelemetry : IDisposable
{
    /// <summary>The name of the ActivitySource and the Meter.</summary>
    public const string Name = "Vibe.Rpc.Server";

    /// <summary>The conventions' name of the Connect protocol.</summary>
    public const string Connect = "connectrpc";

    private static readonly ActivitySource Source = new(Name);

    // Powers of eight, and of ten: what matters is the order of magnitude.
    private static readonly InstrumentAdvice<long> Sizes = new() { HistogramBucketBoundaries = [64, 512, 4096, 32768, 262144, 2097152, 16777216] };
    private static readonly InstrumentAdvice<long> Counts = new() { HistogramBucketBoundaries = [0, 1, 10, 100, 1000, 10000, 100000] };

    private readonly Meter _meter;

    public RpcTelemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        Duration = _meter.CreateHistogram(
            "rpc.server.call.duration",
            "s",
            "Time from the request's headers to the end of the call.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = CallDurations.Buckets });
        RequestSize = _meter.CreateHistogram("rpc.server.request.size", "By", "Uncompressed size of a call's request messages.", advice: Sizes);
        ResponseSize = _meter.CreateHistogram("rpc.server.response.size", "By", "Uncompressed size of a call's response messages.", advice: Sizes);
        RequestCount = _meter.CreateHistogram("rpc.server.requests_per_rpc", "{count}", "Messages received in a call.", advice: Counts);
        ResponseCount = _meter.CreateHistogram("rpc.server.responses_per_rpc", "{count}", "Messages sent in a call.", advice: Counts);
        Active = _meter.CreateUpDownCounter<long>("rpc.server.active_calls", "{call}", "Calls in progress.");
        Failures = _meter.CreateCounter<long>("rpc.server.failed_calls", "{call}", "Calls that ended with an error, by its reason.");
    }

    public Histogram<double> Duration { get; }

    public Histogram<long> RequestSize { get; }

    public Histogram<long> ResponseSize { get; }

    public Histogram<long> RequestCount { get; }

    public Histogram<long> ResponseCount { get; }

    public UpDownCounter<long> Active { get; }

    public Counter<long> Failures { get; }

    /// <summary>Begins the record of a call.</summary>
    public CallTelemetry Start(RpcCall call)
    {
        var activity = Source.HasListeners() ? Source.StartActivity(call.RpcMethod.QualifiedName, ActivityKind.Server) : null;
        var measured = Duration.Enabled || RequestSize.Enabled || ResponseSize.Enabled || RequestCount.Enabled || ResponseCount.Enabled;
        return activity is null && !measured && !Active.Enabled && !Failures.Enabled ? default : new(this, call, activity);
    }

    public void Dispose() => _meter.Dispose();
}
