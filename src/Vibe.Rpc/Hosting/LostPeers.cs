using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;

// The official package's namespace, as ServerCallContextExtensions.
namespace Grpc.Core;

/// <summary>Notices clients that vanished without closing their connection.</summary>
public static class LostPeers
{
    // linux/tcp.h: how long data may stay unacknowledged, in milliseconds. It bounds the probes of an idle connection too.
    private const int TcpUserTimeout = 18;

    /// <summary>
    /// Has the operating system end the call's connection, for all its calls, when the client was not heard for this long, or let nothing
    /// of what waits through. Such a client would otherwise be noticed after a minute, or, when there is something to send, after
    /// many. On systems other than Linux only idle connections are watched; where the connection ends at a proxy, the
    /// proxy is.
    /// </summary>
    /// <param name="context">The call. Nothing happens when its connection is no TCP socket.</param>
    /// <param name="within">The time; at least 4 seconds.</param>
    /// <exception cref="InvalidOperationException">The call does not run in this server, for example in a unit test.</exception>
    public static void NoticeLostPeer(this ServerCallContext context, TimeSpan within)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(within, TimeSpan.FromSeconds(4));
        if (context.GetHttpContext().Features.Get<IConnectionSocketFeature>()?.Socket is not { ProtocolType: ProtocolType.Tcp } socket)
        {
            return;
        }

        try
        {
            // Half of the time: an idle connection whose probes go unanswered may get something to send just before its time is
            // over, and then the time for that counts from the beginning.
            var half = within / 2;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, Math.Max(1, (int)half.TotalSeconds / 2));
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 1);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Math.Max(1, (int)half.TotalSeconds / 2));
            if (OperatingSystem.IsLinux())
            {
                socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, BitConverter.GetBytes((int)half.TotalMilliseconds));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The connection has ended already.
        }
    }
}
