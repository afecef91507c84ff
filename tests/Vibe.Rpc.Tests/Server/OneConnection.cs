using System.Net.Sockets;

namespace Vibe.Rpc.Tests.Server;

/// <summary>A client that counts its connections; one at a time.</summary>
internal sealed class OneConnection : IDisposable
{
    private int _connections;

    public OneConnection() => Http = new(new SocketsHttpHandler
    {
        MaxConnectionsPerServer = 1,
        ConnectCallback = async (context, cancellationToken) =>
        {
            Interlocked.Increment(ref _connections);
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    public HttpClient Http { get; }

    public int Connections => _connections;

    public void Dispose() => Http.Dispose();
}
