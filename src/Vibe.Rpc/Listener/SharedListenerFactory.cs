using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Vibe.Rpc.Listener;

/// <summary>
/// The transport behind <see cref="SharedEndPoint"/>: Kestrel's own sockets, bound once for the two end points of a port.
/// </summary>
internal sealed class SharedListenerFactory(
    IOptions<SocketTransportOptions> sockets,
    IOptions<SharedListenerOptions> options,
    ILoggerFactory loggers,
    TimeProvider clock) : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    // How often to look for a number that is free on both loopback addresses: the second bind can lose a race.
    private const int LocalhostAttempts = 16;

    private readonly SocketTransportFactory _sockets = new(sockets, loggers);
    private readonly ILogger _log = loggers.CreateLogger<SharedListenerFactory>();
    private readonly SemaphoreSlim _binding = new(1);
    private readonly Dictionary<SharedAddresses, SharedPort> _ports = [];

    /// <summary>The ports bound so far.</summary>
    public IEnumerable<SharedPort> Ports => _ports.Values;

    public bool CanBind(EndPoint endpoint) => endpoint is SharedEndPoint;

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var half = (SharedEndPoint)endpoint;
        await _binding.WaitAsync(cancellationToken);
        try
        {
            // A server that starts again opens new sockets.
            if (_ports.TryGetValue(half.Addresses, out var opened) && !opened.IsUnbound)
            {
                return opened.Half(half.Protocol);
            }

            var (sockets, reported) = await OpenAsync(half.Addresses, cancellationToken);
            var port = new SharedPort(sockets, reported, options.Value, clock, _log);
            _ports[half.Addresses] = port;
            return port.Half(half.Protocol);
        }
        finally
        {
            _binding.Release();
        }
    }

    public void Dispose() => _binding.Dispose();

    private async Task<(List<IConnectionListener> Sockets, EndPoint Reported)> OpenAsync(SharedAddresses addresses, CancellationToken cancellationToken)
    {
        if (addresses is SharedAddresses.Single single)
        {
            var socket = await _sockets.BindAsync(single.EndPoint, cancellationToken);
            return ([socket], socket.EndPoint);
        }

        var wanted = ((SharedAddresses.Localhost)addresses).Port;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await OpenLocalhostAsync(wanted, cancellationToken);
            }
            catch (AddressInUseException) when (wanted == 0 && attempt < LocalhostAttempts)
            {
                // The number the system picked on one address is taken on the other: pick again.
            }
        }
    }

    private async Task<(List<IConnectionListener> Sockets, EndPoint Reported)> OpenLocalhostAsync(int port, CancellationToken cancellationToken)
    {
        List<IConnectionListener> opened = [];
        SocketException? missing = null;
        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            try
            {
                var socket = await _sockets.BindAsync(new IPEndPoint(address, port), cancellationToken);
                opened.Add(socket);
                port = ((IPEndPoint)socket.EndPoint).Port;
            }
            catch (SocketException exception)
            {
                // A container without IPv6, say. A port in use is an AddressInUseException and not ignored.
                missing = exception;
                ListenerLog.LoopbackMissing(_log, address, exception.SocketErrorCode);
            }
            catch
            {
                foreach (var socket in opened)
                {
                    await socket.DisposeAsync();
                }

                throw;
            }
        }

        return opened.Count > 0 ? (opened, new LocalhostEndPoint(port)) : throw missing!;
    }
}
