using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Vibe.Server.Hosting;

/// <summary>HTTP/1.1 and HTTP/2 over TLS 1.2 or later on one port; ALPN decides which.</summary>
internal static class TlsPort
{
    /// <summary>Listens.</summary>
    /// <param name="kestrel">The server; its limits hold for this port as for every other.</param>
    /// <param name="address">Where; null for 127.0.0.1 and [::1].</param>
    /// <param name="port">The port number.</param>
    /// <param name="certificate">What the server shows.</param>
    public static void ListenTls(this KestrelServerOptions kestrel, IPAddress? address, int port, TlsCertificate certificate)
    {
        var log = kestrel.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger<TlsCertificate>();
        var handshake = new TlsHandshakeCallbackOptions
        {
            OnConnection = async connection => new SslServerAuthenticationOptions
            {
                ServerCertificateContext = await certificate.GetAsync(log, connection.CancellationToken),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            },
        };

        if (address is null)
        {
            kestrel.ListenLocalhost(port, Configure);
        }
        else
        {
            kestrel.Listen(address, port, Configure);
        }

        void Configure(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(handshake);
        }
    }
}
