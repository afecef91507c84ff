using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>
/// A browser on the hosted pages, as far as the server can tell: it keeps cookies (also Secure ones, as browsers do on
/// *.localhost), and sends Origin and JSON.
/// </summary>
internal sealed class Browser(ApiServer server)
{
    private static int Networks;

    private readonly Dictionary<string, string> _cookies = [];

    /// <summary>Where it is.</summary>
    public string Network { get; init; } = NewNetwork();

    /// <summary>The cookies it holds.</summary>
    public IDictionary<string, string> Cookies => _cookies;

    /// <summary>What it calls itself.</summary>
    public string UserAgent { get; init; } = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

    /// <summary>Every Set-Cookie it was sent, as it came.</summary>
    public List<string> SetCookies { get; } = [];

    public Task<ApiAnswer> PostAsync(string path, string json = "{}") => SendAsync(HttpMethod.Post, path, json, ApiServer.Issuer);

    public Task<ApiAnswer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, json: null, origin: null);

    public async Task<ApiAnswer> SendAsync(
        HttpMethod method, string path, string? json, string? origin, string contentType = "application/json", Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        request.Headers.Add(AccountsHost.NetworkHeader, Network);
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        if (_cookies.Count > 0)
        {
            request.Headers.Add("Cookie", string.Join("; ", _cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}")));
        }

        if (json is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        change?.Invoke(request);
        using var response = await server.Http.SendAsync(request);
        Keep(response);
        return await ApiAnswer.ReadAsync(response);
    }

    /// <summary>Signs up with a passkey of an authenticator.</summary>
    public async Task<ApiAnswer> SignUpAsync(Authenticator authenticator, string handle)
    {
        var started = (await PostAsync("/auth/passkeys/sign-up/options", $$"""{"handle":"{{handle}}","displayName":"Some One"}""")).Ok();
        return await PostAsync("/auth/passkeys/sign-up", authenticator.Create(started));
    }

    /// <summary>Signs in with a passkey of an authenticator.</summary>
    public async Task<ApiAnswer> SignInAsync(Authenticator authenticator) =>
        await PostAsync("/auth/passkeys/sign-in", authenticator.Get((await PostAsync("/auth/passkeys/sign-in/options")).Ok()));

    private static string NewNetwork()
    {
        var number = Interlocked.Increment(ref Networks);
        return $"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}";
    }

    private void Keep(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Set-Cookie", out var set))
        {
            return;
        }

        foreach (var header in set)
        {
            SetCookies.Add(header);
            var pair = header.Split(';')[0].Split('=', 2);
            if (header.Contains("max-age=0", StringComparison.OrdinalIgnoreCase))
            {
                _cookies.Remove(pair[0]);
            }
            else
            {
                _cookies[pair[0]] = WebUtility.UrlDecode(pair[1]);
            }
        }
    }
}
