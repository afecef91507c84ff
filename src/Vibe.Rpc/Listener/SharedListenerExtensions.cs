using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Vibe.Rpc.Listener;

/// <summary>
/// One plaintext port for HTTP/1.1 and HTTP/2: gRPC with prior knowledge, browsers and curl reach the same address.
/// </summary>
/// <remarks>
/// Kestrel without TLS serves one of the two per end point. Here a socket is bound once, the first bytes of each connection are
/// looked at (not consumed), and the connection goes to one of two ordinary Kestrel end points. With TLS none of this is
/// needed: ALPN decides, so an HTTPS end point stays a plain <c>Listen(…, o => o.UseHttps())</c>.
/// </remarks>
public static class SharedListenerExtensions
{
    /// <summary>Registers what <see cref="ListenShared(KestrelServerOptions, EndPoint, Action{ListenOptions})"/> needs. May be called more than once.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Changes the limits.</param>
    /// <returns><paramref name="services"/>.</returns>
    public static IServiceCollection AddSharedListener(this IServiceCollection services, Action<SharedListenerOptions>? configure = null)
    {
        // Kestrel adds its socket transport only when no transport is registered yet, and other end points need that one.
        services.TryAddSingleton<IConnectionListenerFactory, SocketTransportFactory>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConnectionListenerFactory, SharedListenerFactory>());
        services.AddHostedService<DistinctAddressReport>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<SharedListenerOptions>()
            .Validate(options => options.SilenceTimeout > TimeSpan.Zero, "SilenceTimeout must be positive.")
            .Validate(options => options.MaxSilentConnections >= 1, "MaxSilentConnections must be at least 1.")
            .Validate(options => options.MaxConnections is null or >= 1, "MaxConnections must be null or at least 1.")
            .ValidateOnStart();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        return services;
    }

    /// <summary>Listens for HTTP/1.1 and HTTP/2 without TLS on one address.</summary>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="endPoint">An IP end point (port 0: any free one; see <c>IServerAddressesFeature</c> for which) or a Unix domain socket.</param>
    /// <param name="configure">Called for each of the two protocols' end points, for example to log connections. It cannot change the protocols.</param>
    /// <exception cref="InvalidOperationException"><see cref="AddSharedListener"/> was not called.</exception>
    public static void ListenShared(this KestrelServerOptions options, EndPoint endPoint, Action<ListenOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        Listen(options, new SharedAddresses.Single(endPoint), configure);
    }

    /// <inheritdoc cref="ListenShared(KestrelServerOptions, EndPoint, Action{ListenOptions})"/>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="address">The address.</param>
    /// <param name="port">The port; 0: any free one.</param>
    /// <param name="configure">Called for each of the two protocols' end points.</param>
    public static void ListenShared(this KestrelServerOptions options, IPAddress address, int port, Action<ListenOptions>? configure = null) =>
        options.ListenShared(new IPEndPoint(address, port), configure);

    /// <summary>
    /// Listens for HTTP/1.1 and HTTP/2 without TLS on 127.0.0.1 and [::1] with the same port number. A machine without one of
    /// the two gets the other; a port that is taken on either fails.
    /// </summary>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="port">The port; 0: one that is free on both.</param>
    /// <param name="configure">Called for each of the two protocols' end points.</param>
    /// <exception cref="InvalidOperationException"><see cref="AddSharedListener"/> was not called.</exception>
    public static void ListenSharedLocalhost(this KestrelServerOptions options, int port, Action<ListenOptions>? configure = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(port, IPEndPoint.MinPort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        Listen(options, new SharedAddresses.Localhost(port), configure);
    }

    private static void Listen(KestrelServerOptions options, SharedAddresses addresses, Action<ListenOptions>? configure)
    {
        if (!options.ApplicationServices.GetServices<IConnectionListenerFactory>().OfType<SharedListenerFactory>().Any())
        {
            throw new InvalidOperationException("Call services.AddSharedListener() before ListenShared.");
        }

        Add(WireProtocol.Http1, HttpProtocols.Http1);
        Add(WireProtocol.Http2, HttpProtocols.Http2);

        void Add(WireProtocol wire, HttpProtocols protocols) => options.Listen(new SharedEndPoint(addresses, wire), listen =>
        {
            configure?.Invoke(listen);
            listen.Protocols = protocols;
        });
    }
}
