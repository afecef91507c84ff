using Vibe.Apps.V1;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Where codes may be sent.</summary>
internal static class RedirectUris
{
    /// <summary>
    /// Whether the app has registered the address: character by character (RFC 9700 section 2.1). For an app on a device the
    /// port of a loopback address may be any (RFC 8252 section 7.3): it is chosen when the app starts.
    /// </summary>
    public static bool IsRegistered(Client client, string uri) =>
        client.Manifest.RedirectUris.Contains(uri)
        || (client.Manifest.ClientType == ClientType.Native && PortOf(uri) is { } given
            && client.Manifest.RedirectUris.Any(registered => PortOf(registered) is { } known && WithoutPort(registered, known) == WithoutPort(uri, given)));

    // The place of the port in `http://127.0.0.1:1234/…` or `http://[::1]:1234/…`; null for any other address.
    private static Range? PortOf(string uri)
    {
        foreach (var host in (string[])["http://127.0.0.1", "http://[::1]"])
        {
            if (!uri.StartsWith(host, StringComparison.Ordinal))
            {
                continue;
            }

            var end = host.Length;
            if (end < uri.Length && uri[end] == ':')
            {
                end++;
                while (end < uri.Length && char.IsAsciiDigit(uri[end]))
                {
                    end++;
                }
            }

            return end == uri.Length || uri[end] is '/' or '?' ? host.Length..end : null;
        }

        return null;
    }

    private static string WithoutPort(string uri, Range port) => string.Concat(uri.AsSpan(0, port.Start.Value), uri.AsSpan(port.End.Value));
}
