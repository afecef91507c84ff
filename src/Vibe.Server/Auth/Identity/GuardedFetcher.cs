using System.Net;
using System.Net.Sockets;

namespace Vibe.Server.Auth.Identity;

/// <summary>
/// The only way to fetch from an address that somebody else chose. https only, no redirects, no private addresses whatever a
/// name resolves to (checked where the connection is made, so that a name cannot change its mind), bounded in size and time,
/// without cookies, credentials or a proxy. A server that is itself on *.localhost also fetches http from *.localhost.
/// Thread-safe.
/// </summary>
internal sealed class GuardedFetcher : IDisposable
{
    /// <summary>How long an answer is waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly IPNetwork[] Refused =
    [
        // What is not a host on the public internet (RFC 6890).
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            // Of IPv6 only 2000::/3 is public; these of it carry another address inside, or are for documentation.
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        }.Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork PublicIPv6 = IPNetwork.Parse("2000::/3");

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly TimeSpan _patience;
    private readonly bool _allowLocal;
    private readonly HttpClient _http;

    /// <param name="options">Whether the server is one for development follows from its own name.</param>
    /// <param name="resolve">Finds the addresses of a name.</param>
    /// <param name="patience">How long an answer is waited for.</param>
    public GuardedFetcher(AuthOptions options, Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeSpan patience)
    {
        (_resolve, _patience) = (resolve, patience);
        _allowLocal = IsLocal(new Uri(options.Issuer).Host);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = patience,
            PooledConnectionLifetime = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 16,
            ConnectCallback = ConnectAsync,
        })
        {
            Timeout = patience,
        };
    }

    /// <summary>Whether an address is one of a host on the public internet.</summary>
    public static bool IsPublic(IPAddress address)
    {
        var real = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return !Refused.Any(network => network.BaseAddress.AddressFamily == real.AddressFamily && network.Contains(real))
            && (real.AddressFamily == AddressFamily.InterNetwork || PublicIPv6.Contains(real));
    }

    /// <summary>The body of an answer with the status 200; null for every other outcome. Which one is not told: it would tell about our network.</summary>
    /// <param name="address">What to fetch.</param>
    /// <param name="maxBytes">The largest body taken.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<byte[]?> FetchAsync(Uri address, int maxBytes, CancellationToken cancellationToken)
    {
        if (!IsAllowed(address))
        {
            return null;
        }

        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(_patience);
        try
        {
            using var response = await _http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, late.Token);
            if (response.StatusCode != HttpStatusCode.OK || response.Content.Headers.ContentLength > maxBytes)
            {
                return null;
            }

            await using var body = await response.Content.ReadAsStreamAsync(late.Token);
            var buffer = new byte[maxBytes + 1];
            var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, late.Token);
            return length <= maxBytes ? buffer[..length] : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private bool IsAllowed(Uri address) => address.IsAbsoluteUri && address.UserInfo.Length == 0 && address.HostNameType == UriHostNameType.Dns
        && (address.Scheme == Uri.UriSchemeHttps ? !IsLocal(address.Host) && address.Host.Contains('.', StringComparison.Ordinal)
            : address.Scheme == Uri.UriSchemeHttp && _allowLocal && IsLocal(address.Host));

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host;
        var addresses = IsLocal(host) ? [IPAddress.Loopback] : await _resolve(host, cancellationToken);
        // All of them: a name with one private address is nobody's honest mistake.
        if (addresses.Length == 0 || (!IsLocal(host) && !addresses.All(IsPublic)))
        {
            throw new HttpRequestException("The name has no public address.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsLocal(string host) => host == "localhost" || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
}
