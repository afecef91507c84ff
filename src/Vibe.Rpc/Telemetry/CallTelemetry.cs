using System.Diagnostics;
using Google.Rpc;
using Grpc.Core;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Telemetry;

/// <summary>The span and the measurements of one call; the default value records nothing.</summary>
internal struct CallTelemetry : IDisposable
{
    private readonly RpcTelemetry? _owner;
    private readonly RpcCall? _call;
    private readonly Activity? _activity;
    private readonly long _started;
    private readonly bool _countedActive;

    public CallTelemetry(RpcTelemetry owner, RpcCall call, Activity? activity)
    {
        _owner = owner;
        _call = call;
        _activity = activity;
        _started = Stopwatch.GetTimestamp();
        if (activity is not null)
        {
            activity.SetTag("rpc.system.name", call.ProtocolName);
            activity.SetTag("rpc.method", call.RpcMethod.QualifiedName);
        }

        _countedActive = owner.Active.Enabled;
        if (_countedActive)
        {
            owner.Active.Add(1, Tags(call));
        }
    }

    /// <summary>Records how the call ended.</summary>
    /// <param name="status">With what status.</param>
    /// <param name="trailers">What went with it: the reason of a failure.</param>
    public readonly void End(Grpc.Core.Status status, Metadata? trailers)
    {
        if (_owner is null || _call is null)
        {
            return;
        }

        var tags = Tags(_call);
        if (_countedActive)
        {
            _owner.Active.Add(-1, tags);
        }

        // Connect has no name for success, and writes the others its own way.
        var isConnect = _call.ProtocolName == RpcTelemetry.Connect;
        var code = isConnect ? status.StatusCode.ToConnectName() : status.StatusCode.ToCanonicalName();
        var saysCode = !isConnect || status.StatusCode != StatusCode.OK;
        var failed = IsServerFault(status.StatusCode);
        if (saysCode)
        {
            tags.Add("rpc.response.status_code", code);
        }

        if (failed)
        {
            tags.Add("error.type", code);
        }

        var reason = status.StatusCode == StatusCode.OK ? null : ReasonIn(trailers);
        if (status.StatusCode != StatusCode.OK && _owner.Failures.Enabled)
        {
            var why = tags;
            why.Add("rpc.error.reason", reason ?? "");
            _owner.Failures.Add(1, why);
        }

        _owner.Duration.Record(Stopwatch.GetElapsedTime(_started).TotalSeconds, tags);
        _owner.RequestSize.Record(_call.Counters.BytesReceived, tags);
        _owner.ResponseSize.Record(_call.Counters.BytesSent, tags);
        _owner.RequestCount.Record(_call.Counters.MessagesReceived, tags);
        _owner.ResponseCount.Record(_call.Counters.MessagesSent, tags);
        if (_activity is null)
        {
            return;
        }

        if (saysCode)
        {
            _activity.SetTag("rpc.response.status_code", code);
        }

        if (reason is not null)
        {
            _activity.SetTag("rpc.error.reason", reason);
        }

        if (failed)
        {
            _activity.SetTag("error.type", code);
            _activity.SetStatus(ActivityStatusCode.Error);
        }
    }

    public readonly void Dispose() => _activity?.Dispose();

    private static TagList Tags(RpcCall call) => new()
    {
        { "rpc.system.name", call.ProtocolName },
        { "rpc.method", call.RpcMethod.QualifiedName },
    };

    // Reasons are names of the contract: as many as it has, whatever clients send.
    private static string? ReasonIn(Metadata? trailers) => ResponseMetadata.ReadDetails(trailers)?.GetDetail<ErrorInfo>()?.Reason;

    // The conventions mark a server's span as failed only for codes that say that the server failed.
    private static bool IsServerFault(StatusCode code) => code
        is StatusCode.Unknown or StatusCode.DeadlineExceeded or StatusCode.Unimplemented
        or StatusCode.Internal or StatusCode.Unavailable or StatusCode.DataLoss;
}
