using System.Diagnostics;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Vibe.Rpc.Telemetry;
using Status = Grpc.Core.Status;

namespace Vibe.Rpc.Calls;

/// <summary>How a call ends. The one place where exceptions become statuses.</summary>
internal sealed class CallOutcome
{
    private readonly Exception? _unexpected;

    private CallOutcome(Status status, Metadata? trailers, bool clientIsGone = false, Exception? unexpected = null)
    {
        Status = status;
        Trailers = trailers;
        ClientIsGone = clientIsGone;
        _unexpected = unexpected;
    }

    public Status Status { get; }

    public Metadata? Trailers { get; }

    /// <summary>Whether nobody is left to be told.</summary>
    public bool ClientIsGone { get; }

    /// <summary>Closes the call's watch and decides. What stopped the call counts for more than what the handler made of it.</summary>
    public static CallOutcome Decide(RpcCall call, Exception? exception, CallStop stop)
    {
        if (exception is not null)
        {
            // Kestrel cancels its token a moment after it fails a read: ask, so that a lost client is not taken for a fault of ours.
            stop.ClientIsGone();
        }

        var cause = stop.Decide();
        var trailers = call.TrailersIfAny;
        return cause switch
        {
            StopCause.ClientGone or StopCause.SlowReader => new(CallStop.StatusOf(cause), null, clientIsGone: true),
            StopCause.DeadlineExceeded => Show(WireErrors.Stopped(cause), trailers),
            StopCause.Drained when exception is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled } =>
                Show(WireErrors.Stopped(cause), trailers),
            _ => Translate(call, exception, trailers),
        };
    }

    public void Log(ILogger log, RpcCall call)
    {
        if (_unexpected is not null)
        {
            RpcLog.HandlerFailed(log, call.RpcMethod.FullName, _unexpected);
        }
        else if (ClientIsGone)
        {
            RpcLog.ClientGone(log, call.RpcMethod.FullName, Status.StatusCode);
        }
        else if (Status.StatusCode != StatusCode.OK)
        {
            RpcLog.CallFailed(log, call.RpcMethod.FullName, Status.StatusCode);
        }
    }

    private static CallOutcome Translate(RpcCall call, Exception? exception, Metadata? trailers) => exception switch
    {
        null => new(call.Status, trailers),
        RpcException { StatusCode: not StatusCode.OK } expected => Show(expected, trailers),
        _ => Unexpected(call, exception, trailers),
    };

    private static CallOutcome Unexpected(RpcCall call, Exception exception, Metadata? trailers)
    {
        var detail = call.RpcMethod.Options.EnableDetailedErrors == true ? $"{exception.GetType().Name}: {exception.Message}" : null;
        var requestId = Activity.Current?.TraceId.ToString() ?? call.HttpContext.TraceIdentifier;
        return Show(WireErrors.Unexpected(detail, requestId), trailers, exception);
    }

    private static CallOutcome Show(RpcException error, Metadata? trailers, Exception? unexpected = null) =>
        new(error.Status, Join(trailers, error.Trailers), unexpected: unexpected);

    private static Metadata Join(Metadata? trailers, Metadata added)
    {
        if (trailers is null || trailers.Count == 0)
        {
            return added;
        }

        foreach (var entry in added)
        {
            trailers.Add(entry);
        }

        return trailers;
    }
}
