using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Vibe.Rpc.Listener;

/// <summary>Events 2300 to 2319.</summary>
internal static partial class ListenerLog
{
    [LoggerMessage(2300, LogLevel.Debug, "Connection {ConnectionId} sent nothing that tells its protocol in time; closed.")]
    public static partial void Silent(ILogger logger, string connectionId);

    [LoggerMessage(2301, LogLevel.Information, "Connection {ConnectionId} starts a TLS handshake on a port without TLS; refused.")]
    public static partial void TlsRefused(ILogger logger, string connectionId);

    [LoggerMessage(2302, LogLevel.Debug, "Connection {ConnectionId} ended before its protocol was known.")]
    public static partial void EndedEarly(ILogger logger, string connectionId);

    [LoggerMessage(2303, LogLevel.Warning, "{EndPoint} has {Limit} connections open; connection {ConnectionId} closed.")]
    public static partial void TooMany(ILogger logger, EndPoint endPoint, int limit, string connectionId);

    [LoggerMessage(2304, LogLevel.Information, "{Address} is not available ({Error}); listening on the other loopback address only.")]
    public static partial void LoopbackMissing(ILogger logger, IPAddress address, SocketError error);

    [LoggerMessage(2305, LogLevel.Error, "Connection {ConnectionId} could not be routed.")]
    public static partial void RoutingFailed(ILogger logger, string connectionId, Exception exception);
}
