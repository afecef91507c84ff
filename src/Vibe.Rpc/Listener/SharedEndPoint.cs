using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Vibe.Rpc.Listener;

/// <summary>One protocol's half of a shared port, in the form that Kestrel binds.</summary>
/// <param name="addresses">Where the sockets listen. Two half end points with the same instance share the sockets.</param>
/// <param name="protocol">Which connections this half receives.</param>
internal sealed class SharedEndPoint(SharedAddresses addresses, WireProtocol protocol) : EndPoint
{
    public SharedAddresses Addresses => addresses;

    public WireProtocol Protocol => protocol;

    /// <summary>Kestrel puts this after the scheme, for example in the message of a port that is taken.</summary>
    public override string ToString() => addresses.ToString();
}

/// <summary>The addresses of one shared port; compared by identity.</summary>
internal abstract class SharedAddresses
{
    public abstract override string ToString();

    /// <summary>One socket.</summary>
    public sealed class Single(EndPoint endPoint) : SharedAddresses
    {
        public EndPoint EndPoint => endPoint;

        public override string ToString() => $"{(endPoint is UnixDomainSocketEndPoint ? "unix:" : "")}{endPoint}";
    }

    /// <summary>127.0.0.1 and [::1] with one port number; 0 picks a number that is free on both.</summary>
    public sealed class Localhost(int port) : SharedAddresses
    {
        public int Port => port;

        public override string ToString() => LocalhostEndPoint.Format(port);
    }
}

/// <summary>Stands for both loopback addresses where Kestrel wants one end point to report.</summary>
internal sealed class LocalhostEndPoint(int port) : EndPoint
{
    public static string Format(int port) => string.Create(CultureInfo.InvariantCulture, $"localhost:{port}");

    public override string ToString() => Format(port);
}
