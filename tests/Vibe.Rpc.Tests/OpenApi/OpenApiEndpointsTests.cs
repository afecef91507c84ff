using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vibe.Rpc.OpenApi;
using Vibe.Rpc.Tests.Rest;

namespace Vibe.Rpc.Tests.OpenApi;

public sealed partial class OpenApiEndpointsTests : IAsyncLifetime
{
    private RestHost _host = null!;

    public async Task InitializeAsync() => _host = await RestHost.StartAsync(map: app =>
    {
        app.MapGrpcService<RestTestService>();
        app.MapOpenApi(configure: options => options.Title = "A & B");
        app.MapApiReference();
    });

    public Task DisposeAsync() => _host.DisposeAsync().AsTask();

    [Fact]
    public async Task The_document_describes_the_mapped_services()
    {
        using var response = await _host.Client.GetAsync("/openapi.json");
        var document = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        Assert.Equal("A & B", (string?)document["info"]!["title"]);
        Assert.Equal("vibe.rpctest.v1.RpcTestService", (string?)Assert.Single(document["tags"]!.AsArray())!["name"]);
    }

    [Theory]
    [InlineData("/openapi.json")]
    [InlineData("/docs")]
    public async Task What_the_client_has_is_not_sent_again(string path)
    {
        using var first = await _host.Client.GetAsync(path);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await _host.Client.SendAsync(request);
        using var head = await _host.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync());
        Assert.Equal(first.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task The_page_allows_its_own_style_and_script_and_nothing_else()
    {
        using var response = await _host.Client.GetAsync("/docs");
        var html = await response.Content.ReadAsStringAsync();
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));

        Assert.Contains($"script-src '{HashOf(html, "script")}';", policy, StringComparison.Ordinal);
        Assert.Contains($"style-src '{HashOf(html, "style")}';", policy, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotMatch(ForeignSource(), html);
        Assert.DoesNotContain("innerHTML", html, StringComparison.Ordinal);
    }

    private static string HashOf(string html, string tag)
    {
        var text = Assert.Single(Regex.Matches(html, $"<{tag}>(.*?)</{tag}>", RegexOptions.Singleline)).Groups[1].Value;
        return "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    // An address of another host in a source, a style attribute, or an inline handler: the policy would refuse each.
    [GeneratedRegex("""(src|href)="(https?:)?//|\sstyle="|\son[a-z]+=["']""")]
    private static partial Regex ForeignSource();
}
