using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Identity;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Identity;

/// <summary>What somebody else's address must not make the server do (facts: DID spoofing, request forgery).</summary>
public sealed class GuardedFetcherTests : IAsyncLifetime
{
    // Longer than a test is waited for: what is not fetched was refused.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly WebApplication _site;
    private int _requests;

    public GuardedFetcherTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _site = builder.Build();
        _site.Use((context, next) =>
        {
            Interlocked.Increment(ref _requests);
            return next(context);
        });
        _site.MapGet("/ok", () => "fine");
        _site.MapGet("/away", () => Results.Redirect("/ok"));
        _site.MapGet("/large", () => new string('x', 5000));
        _site.MapGet("/endless", async (HttpResponse response, CancellationToken cancellationToken) =>
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                await response.Body.WriteAsync(new byte[4096], cancellationToken);
            }
        });
        _site.MapGet("/cookie", (HttpContext context) => $"{context.Request.Headers.Cookie}{context.Request.Headers.Authorization}");
    }

    private int Port => new Uri(_site.Urls.First()).Port;

    public Task InitializeAsync() => _site.StartAsync();

    public Task DisposeAsync() => _site.DisposeAsync().AsTask();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.1.2.3")]
    [InlineData("172.16.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("255.255.255.255")]
    [InlineData("224.0.0.1")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("fe80::1")]
    [InlineData("fd00::1")]
    [InlineData("ff02::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("2001:db8::1")]
    public async Task A_name_with_a_private_address_is_not_connected_to(string address)
    {
        Assert.False(GuardedFetcher.IsPublic(IPAddress.Parse(address)));
        using var fetcher = Fetcher("https://vibe.example", IPAddress.Parse("203.0.114.1"), IPAddress.Parse(address));
        // Had it connected, it would wait for the first address.
        var answer = fetcher.FetchAsync(new Uri("https://evil.example/did.json"), 1000, CancellationToken.None);
        Assert.Null(await answer.WaitAsync(ApiServer.Bound));
    }

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("2606:4700::1111")]
    public void A_host_of_the_internet_is_public(string address) => Assert.True(GuardedFetcher.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("http://app.example/did.json")]
    [InlineData("https://127.0.0.1/did.json")]
    [InlineData("https://[::1]/did.json")]
    [InlineData("https://2130706433/did.json")]
    [InlineData("https://0x7f.1/did.json")]
    [InlineData("https://localhost/did.json")]
    [InlineData("https://x.localhost/did.json")]
    [InlineData("http://x.localhost/did.json")]
    [InlineData("https://intranet/did.json")]
    [InlineData("https://me:secret@app.example/did.json")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://app.example/did.json")]
    public async Task Nothing_but_https_to_a_name_is_fetched_by_a_public_server(string address)
    {
        var asked = false;
        using var fetcher = new GuardedFetcher(new AuthOptions { Issuer = "https://vibe.example" }, (_, _) =>
        {
            asked = true;
            return Task.FromResult<IPAddress[]>([]);
        }, Patience);
        Assert.Null(await fetcher.FetchAsync(new Uri(address), 1000, CancellationToken.None));
        Assert.False(asked);
    }

    [Fact]
    public async Task A_server_on_localhost_fetches_from_localhost_within_the_bounds()
    {
        using var fetcher = Fetcher("http://vibe.localhost:5080");
        Assert.Equal("fine", System.Text.Encoding.UTF8.GetString((await FetchAsync(fetcher, "ok"))!));
        Assert.Null(await FetchAsync(fetcher, "missing"));
        Assert.Null(await FetchAsync(fetcher, "large"));
        Assert.Null(await FetchAsync(fetcher, "endless"));
        Assert.Equal("", System.Text.Encoding.UTF8.GetString((await FetchAsync(fetcher, "cookie"))!));
        var before = Volatile.Read(ref _requests);
        Assert.Null(await FetchAsync(fetcher, "away"));
        Assert.Equal(before + 1, Volatile.Read(ref _requests));
        Assert.Null(await fetcher.FetchAsync(new Uri($"http://127.0.0.1:{Port}/ok"), 1000, CancellationToken.None));
        Assert.Equal(before + 1, Volatile.Read(ref _requests));
    }

    [Theory]
    [InlineData("did:web:app.example", "https://app.example/.well-known/did.json")]
    [InlineData("did:web:app.example%3A8443:users:1", "https://app.example:8443/users/1/did.json")]
    [InlineData("did:web:other.localhost%3A5081:apps:x", "http://other.localhost:5081/apps/x/did.json")]
    [InlineData("did:web:127.0.0.1", null)]
    [InlineData("did:web:localhost", null)]
    [InlineData("did:web:app.example:..:x", null)]
    [InlineData("did:web:app.example%2Fevil", null)]
    [InlineData("did:web:me%40app.example", null)]
    [InlineData("did:web:app.example:a%2fb", null)]
    [InlineData("did:web:app.example#key", null)]
    [InlineData("did:web:app.example%3A99999", null)]
    [InlineData("did:key:z6Mk", null)]
    public void A_did_web_is_where_its_name_says_and_nowhere_else(string did, string? address) =>
        Assert.Equal(address, DidResolver.AddressOf(did)?.AbsoluteUri);

    private static GuardedFetcher Fetcher(string issuer, params IPAddress[] addresses) =>
        new(new AuthOptions { Issuer = issuer }, (_, _) => Task.FromResult(addresses), Patience);

    private Task<byte[]?> FetchAsync(GuardedFetcher fetcher, string path) =>
        fetcher.FetchAsync(new Uri($"http://site.localhost:{Port}/{path}"), 1000, CancellationToken.None);
}
