using System.Net;
using System.Net.Sockets;

namespace Vibe.Server.Pipeline;

/// <summary>The network a visitor comes from, as limits count it and as people are shown it.</summary>
internal static class NetworkPrefix
{
    /// <summary>
    /// An IPv4 address, or the first 64 bits of an IPv6 address, all of which one visitor owns (RFC 6177). Empty when the
    /// address is not known.
    /// </summary>
    public static string Of(IPAddress? address)
    {
        if (address is null)
        {
            return "";
        }

        // A dual-mode socket sees IPv4 as ::ffff:1.2.3.4, which would put all of IPv4 into one network.
        if (address.IsIPv4MappedToIPv6 || address.AddressFamily == AddressFamily.InterNetwork)
        {
            return address.MapToIPv4().ToString();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return new IPNetwork(new IPAddress([.. bytes[..8], 0, 0, 0, 0, 0, 0, 0, 0]), 64).ToString();
    }
}
