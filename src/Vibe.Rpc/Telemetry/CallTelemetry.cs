using System.Diagnostics;
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
            activity.SetTag("rpc.system", call.ProtocolName);
            activity.SetTag("rpc.service", call.RpcMethod.ServiceName);
            activity.SetTag("rpc.method", call.RpcMethod.Name);
        }

        _countedActive = owner.Active.Enabled;
        if (_countedActive)
        {
            owner.Active.Add(1, Tags(call));
        }
    }

    /// <summary>Records how the call ended.</summary>
    public readonly void End(Status status)
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

        if (_call.ProtocolName == "connect_rpc")
        {
            if (status.StatusCode != StatusCode.OK)
            {
                tags.Add("rpc.connect_rpc.error_code", status.StatusCode.ToConnectName());
            }
        }
        else
        {
            tags.Add("rpc.grpc.status_code", (int)status.StatusCode);
        }

        _owner.Duration.Record(Stopwatch.GetElapsedTime(_started).TotalMilliseconds, tags);
        _owner.RequestSize.Record(_call.Counters.BytesReceived, tags);
        _owner.ResponseSize.Record(_call.Counters.BytesSent, tags);
        _owner.RequestCount.Record(_call.Counters.MessagesReceived, tags);
        _owner.ResponseCount.Record(_call.Counters.MessagesSent, tags);
        if (_activity is not null)
        {
            _activity.SetTag(tags[^1].Key, tags[^1].Value);
            _activity.SetStatus(IsServerFault(status.StatusCode) ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
        }
    }

    public readonly void Dispose() => _activity?.Dispose();

    private static TagList Tags(RpcCall call) => new()
    {
        { "rpc.system", call.ProtocolName },
        { "rpc.service", call.RpcMethod.ServiceName },
        { "rpc.method", call.RpcMethod.Name },
    };

    // The conventions mark a server's span as failed only for codes that say that the server failed.
    private static bool IsServerFault(StatusCode code) => code
        is StatusCode.Unknown or StatusCode.DeadlineExceeded or StatusCode.Unimplemented
        or StatusCode.Internal or StatusCode.Unavailable or StatusCode.DataLoss;
}
