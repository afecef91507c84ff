using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Vibe.Client.Tests.Support;

/// <summary>Somebody with an account and a browser, without a screen but with cookies, who allows what they are asked.</summary>
internal sealed class Person : IDisposable
{
    // By hand: the server marks its cookies as secure, and .NET does not take 127.0.0.1 for a safe place, as browsers do.
    private readonly Dictionary<string, string> _cookies = new(StringComparer.Ordinal);
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly Uri _issuer;

    private Person(string issuer) => _issuer = new Uri(issuer);

    public string Handle { get; private init; } = "";

    public static async Task<Person> SignUpAsync(string issuer, string handle)
    {
        var person = new Person(issuer) { Handle = handle };
        await person.PostAsync("/auth/password/sign-up", new { handle, displayName = "A Person", password = "correct horse battery staple" });
        return person;
    }

    /// <summary>Follows an app's address through the provider, and on to where it leaves it.</summary>
    public async Task BrowseAsync(Uri address)
    {
        for (var steps = 0; steps < 10; steps++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            using var response = await SendAsync(request);
            if (address.Authority != _issuer.Authority)
            {
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                return;
            }

            Assert.True(response.StatusCode == HttpStatusCode.SeeOther, $"{address}: {response.StatusCode} {await response.Content.ReadAsStringAsync()}");
            address = new Uri(_issuer, response.Headers.Location!);
            if (address.AbsolutePath == "/consent")
            {
                address = await AllowAsync(address.Query.Split("request=")[1].Split('&')[0]);
            }
        }

        throw new InvalidOperationException("Round in circles.");
    }

    /// <summary>Types the code of a device, and allows what is asked.</summary>
    public async Task AllowDeviceAsync(string userCode) => await PostAsync($"/auth/devices/{userCode}:decide", new { allow = true });

    public void Dispose() => _http.Dispose();

    private async Task<Uri> AllowAsync(string request)
    {
        var answer = await PostAsync($"/auth/requests/{request}:decide", new { allow = true });
        return new Uri(_issuer, (string)answer["redirectUri"]!);
    }

    private async Task<JsonObject> PostAsync(string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_issuer, path)) { Content = JsonContent.Create(body) };
        request.Headers.Add("Origin", _issuer.GetLeftPart(UriPartial.Authority));
        using var response = await SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode} {text}");
        return text.Length > 0 ? JsonNode.Parse(text)!.AsObject() : [];
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        if (request.RequestUri!.Authority == _issuer.Authority)
        {
            request.Headers.TryAddWithoutValidation("Cookie", string.Join("; ", _cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}")));
        }

        var response = await _http.SendAsync(request);
        foreach (var cookie in response.Headers.TryGetValues("Set-Cookie", out var set) ? set : [])
        {
            var pair = cookie.Split(';')[0].Split('=', 2);
            if (cookie.Contains("max-age=0", StringComparison.OrdinalIgnoreCase))
            {
                _cookies.Remove(pair[0]);
            }
            else
            {
                _cookies[pair[0]] = pair[1];
            }
        }

        return response;
    }
}
