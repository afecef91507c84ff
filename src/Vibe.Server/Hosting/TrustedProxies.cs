using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using IPNetwork = System.Net.IPNetwork;

namespace Vibe.Server.Hosting;

/// <summary>Believes the proxies it is told of, and nobody else, where a request comes from: limits count by network.</summary>
internal static class TrustedProxies
{
    /// <summary>The setting: networks or addresses with commas between, <c>Vibe__TrustedProxies=10.0.0.0/8,::1</c>. Default: none.</summary>
    public const string Setting = "Vibe:TrustedProxies";

    /// <summary>Takes the visitor's address from <c>X-Forwarded-For</c>, as far back as trusted proxies wrote it.</summary>
    /// <exception cref="Refusal">The setting has another form.</exception>
    public static void UseTrustedProxies(this WebApplication app)
    {
        var networks = (app.Configuration[Setting] ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (networks.Length == 0)
        {
            return;
        }

        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = null };
        options.KnownIPNetworks.Clear();
        options.KnownProxies.Clear();
        foreach (var network in networks)
        {
            options.KnownIPNetworks.Add(Parse(network));
        }

        app.UseForwardedHeaders(options);
    }

    private static IPNetwork Parse(string text) => IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : throw new Refusal($"Vibe__TrustedProxies: \"{text}\" is neither an address nor a network such as 10.0.0.0/8.");
}
