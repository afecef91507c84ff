using System.Net;
using System.Net.Sockets;
using Grpc.Net.Client;

namespace Vibe.Rpc.Client;

/// <summary>The HTTP handler of channels that were given none.</summary>
internal static class ClientHandler
{
    public static SocketsHttpHandler Create(Uri address, GrpcChannelOptions options) => new()
    {
        // One connection carries 100 streams with most servers: a 101st call must not wait for one to end.
        EnableMultipleHttp2Connections = true,
        PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        ConnectTimeout = options.ConnectTimeout,
        KeepAlivePingDelay = options.KeepAlivePingDelay,
        KeepAlivePingTimeout = options.KeepAlivePingTimeout,
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,

        // A redirect would carry the caller's credentials to wherever it points.
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseProxy = !IsLoopback(address.Host),
        ConnectCallback = ConnectAsync,
    };

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var endPoint = context.DnsEndPoint;
        if (!IsLocalhostName(endPoint.Host))
        {
            return await OpenAsync(new Socket(SocketType.Stream, ProtocolType.Tcp), endPoint, cancellationToken).ConfigureAwait(false);
        }

        // RFC 6761, 6.3: names below "localhost" are loopback. Not every resolver knows, so none is asked; the server may listen on
        // either address family.
        try
        {
            var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            return await OpenAsync(socket, new IPEndPoint(IPAddress.IPv6Loopback, endPoint.Port), cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            return await OpenAsync(socket, new IPEndPoint(IPAddress.Loopback, endPoint.Port), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<Stream> OpenAsync(Socket socket, EndPoint endPoint, CancellationToken cancellationToken)
    {
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsLoopback(string host) =>
        IsLocalhostName(host) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static bool IsLocalhostName(string host)
    {
        var name = host.AsSpan().TrimEnd('.');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
    }
}
