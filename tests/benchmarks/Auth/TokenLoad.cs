using System.Buffers.Text;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Vibe.Benchmarks.Measuring;

namespace Vibe.Benchmarks.Auth;

/// <summary>
/// Tokens a second from the real server with its embedded database, which commits each: sixteen clients that ask one after the
/// other, on the same machine.
/// </summary>
internal sealed class TokenLoad(BenchOptions options, Report report) : IDisposable
{
    private const int Clients = 16;
    private const string Callback = "https://rp.example/callback";
    private static readonly string Verifier = new('v', 64);

    private readonly int _port = ServerProcess.FreePort();
    private readonly Dictionary<string, string> _cookies = [];
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    /// <summary>Runs; adds a row for each way to tokens.</summary>
    public async Task RunAsync()
    {
        var data = BenchOptions.NewFolder();
        await RunAsync(data);
        Directory.Delete(data, recursive: true);
    }

    private async Task RunAsync(string data)
    {
        await using var server = await ServerProcess.StartVibeAsync(_port, data, [], [("VIBE_PUBLIC_URL", $"http://127.0.0.1:{_port}")]);
        _http.BaseAddress = new Uri($"http://127.0.0.1:{_port}");
        var owner = (await ServerProcess.RunAsync("dotnet", [BenchOptions.Vibe, "token", "--user", "owner", "--scope", "account", "--data", data])).Trim();
        var backend = await CreateAppAsync(owner, "backend", "CLIENT_TYPE_CONFIDENTIAL");
        var page = await CreateAppAsync(owner, "page", "CLIENT_TYPE_WEB");
        await SignUpAndAllowAsync(page.Did);

        await AddAsync("tokens issued: an app as itself", static () => Task.FromResult(""), async _ =>
        {
            await TokenAsync(("grant_type", "client_credentials"), ("client_id", backend.Did), ("client_secret", backend.Secret!));
            return "";
        });
        await AddAsync("tokens issued: a refresh token rotated", async () => await SignInAsync(page.Did), token => RefreshAsync(page.Did, token));
        await AddAsync("sign-ins of somebody who is known: code and tokens", static () => Task.FromResult(""), _ => SignInAsync(page.Did));
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    // Each client hands what it got to its next request.
    private async Task AddAsync(string name, Func<Task<string>> start, Func<string, Task<string>> next)
    {
        var states = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => start()));
        await DriveAsync(options.Settle);
        var rates = new List<double>();
        for (var round = 0; round < options.Rounds; round++)
        {
            rates.Add(await DriveAsync(options.Duration));
        }

        report.Add(new(name, "1/s", BenchOptions.Median(rates)));

        async Task<double> DriveAsync(TimeSpan duration)
        {
            var (started, done) = (Stopwatch.GetTimestamp(), 0);
            await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
            {
                while (Stopwatch.GetElapsedTime(started) < duration)
                {
                    states[client] = await next(states[client]);
                    Interlocked.Increment(ref done);
                }
            }));
            return done / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
    }

    private async Task<(string Did, string? Secret)> CreateAppAsync(string owner, string name, string type)
    {
        var app = await PostAsync("/v1/apps", owner, new JsonObject
        {
            ["name"] = name,
            ["manifest"] = new JsonObject { ["displayName"] = $"The {name} of a benchmark", ["clientType"] = type, ["redirectUris"] = new JsonArray(Callback) },
        });
        var secret = type == "CLIENT_TYPE_WEB" ? null : (string?)(await PostAsync($"/v1/apps/{name}/credentials", owner, []))["secret"];
        return ((string)app["did"]!, secret);
    }

    private async Task SignUpAndAllowAsync(string app)
    {
        await PostAsync("/auth/password/sign-up", token: null, new JsonObject { ["handle"] = "somebody", ["displayName"] = "", ["password"] = "correct horse battery staple" });
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, Authorize(app)));
        var request = answer.Headers.Location!.ToString().Split("request=")[1];
        var next = (string)(await PostAsync($"/auth/requests/{request}:decide", token: null, new JsonObject { ["allow"] = true }))["redirectUri"]!;
        using var done = await SendAsync(new HttpRequestMessage(HttpMethod.Get, next));
    }

    private async Task<string> SignInAsync(string app)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, Authorize(app)));
        var code = answer.Headers.Location!.ToString().Split("code=")[1].Split('&')[0];
        return (string)(await TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", app), ("code", code), ("redirect_uri", Callback), ("code_verifier", Verifier)))["refresh_token"]!;
    }

    private async Task<string> RefreshAsync(string app, string token) =>
        (string)(await TokenAsync(("grant_type", "refresh_token"), ("client_id", app), ("refresh_token", token)))["refresh_token"]!;

    private static string Authorize(string app)
    {
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));
        return $"/oauth/authorize?client_id={Uri.EscapeDataString(app)}&redirect_uri={Uri.EscapeDataString(Callback)}&response_type=code"
            + $"&scope=openid%20offline_access&code_challenge={challenge}&code_challenge_method=S256";
    }

    private async Task<JsonNode> TokenAsync(params (string Name, string Value)[] fields)
    {
        using var content = new FormUrlEncodedContent(fields.Select(static field => KeyValuePair.Create(field.Name, field.Value)));
        using var answer = await _http.PostAsync(new Uri("/oauth/token", UriKind.Relative), content);
        return JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!;
    }

    private async Task<JsonNode> PostAsync(string path, string? token, JsonObject body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (token is null)
        {
            request.Headers.Add("Origin", $"http://127.0.0.1:{_port}");
        }
        else
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        using var answer = await SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new InvalidOperationException($"{path}: {text}");
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        request.Headers.TryAddWithoutValidation("Cookie", string.Join("; ", _cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}")));
        var answer = await _http.SendAsync(request);
        if (answer.Headers.TryGetValues("Set-Cookie", out var set))
        {
            foreach (var cookie in set)
            {
                var pair = cookie.Split(';')[0].Split('=', 2);
                _cookies[pair[0]] = pair[1];
            }
        }

        return answer;
    }
}
