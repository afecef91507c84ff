using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Vibe.Rpc.Telemetry;

/// <summary>The runtime's log. A client's fault is no error of ours; messages and metadata are never logged.</summary>
internal static partial class RpcLog
{
    [LoggerMessage(100, LogLevel.Error, "{Method} failed with an unexpected exception.")]
    public static partial void HandlerFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(101, LogLevel.Information, "{Method}: the client left before the call had ended ({Status}).")]
    public static partial void ClientGone(ILogger logger, string method, StatusCode status);

    [LoggerMessage(102, LogLevel.Debug, "{Method} ended with {Status}.")]
    public static partial void CallFailed(ILogger logger, string method, StatusCode status);

    [LoggerMessage(103, LogLevel.Debug, "{Method}: the end of the response could not be sent.")]
    public static partial void ResponseLost(ILogger logger, string method, Exception exception);

    [LoggerMessage(104, LogLevel.Information, "{Method}: the client did not read for {Seconds} s; its stream was reset.")]
    public static partial void SlowReader(ILogger logger, string method, double seconds);

    [LoggerMessage(105, LogLevel.Debug, "Mapped {Method}.")]
    public static partial void Mapped(ILogger logger, string method);
}
