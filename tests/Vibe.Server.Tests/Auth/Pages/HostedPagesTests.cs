using System.Net;
using System.Text.RegularExpressions;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;
using Vibe.Server.Tests.Auth.OAuth;

namespace Vibe.Server.Tests.Auth.Pages;

/// <summary>How the hosted pages are served; what they do is tried in a browser (tests/e2e/sign-in.mjs).</summary>
[Collection(PostgresCollection.Name)]
public sealed partial class HostedPagesTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private readonly ApiServer _server = host.Server;

    [Theory]
    [InlineData("/sign-in")]
    [InlineData("/sign-up")]
    [InlineData("/sign-in/mail")]
    [InlineData("/consent")]
    [InlineData("/device")]
    [InlineData("/account")]
    public async Task A_page_is_shown_in_no_frame_kept_by_no_cache_and_runs_no_script_but_its_own(string path)
    {
        var answer = await GetAsync(path, new Uri(ApiServer.Issuer).Authority);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var policy = Assert.Single(answer.Headers, static header => header.StartsWith("content-security-policy: ", StringComparison.Ordinal));
        foreach (var rule in (string[])["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", $"script-src {ApiServer.Issuer}/pages/;"])
        {
            Assert.Contains(rule, policy, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        foreach (var header in (string[])["x-frame-options: DENY", "cache-control: no-store", "referrer-policy: no-referrer", "x-content-type-options: nosniff"])
        {
            Assert.Contains(header, answer.Headers);
        }

        Assert.DoesNotMatch(@"<script(?![^>]*\bsrc=)|\son\w+=|style=", answer.Body);
    }

    [Fact]
    public async Task Every_file_a_page_names_is_there_and_may_be_kept()
    {
        var page = await GetAsync("/account", new Uri(ApiServer.Issuer).Authority);
        var files = FileNames.Matches(page.Body).Select(static match => match.Value).Distinct().ToList();
        Assert.True(files.Count >= 4, page.Body);
        foreach (var file in files)
        {
            var answer = await GetAsync(file, new Uri(ApiServer.Issuer).Authority);
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.Contains("cache-control: public, max-age=31536000, immutable", answer.Headers);
        }
    }

    // A passkey belongs to one host: a page on another name of the server could only fail.
    [Fact]
    public async Task On_another_name_of_the_server_the_browser_is_sent_to_the_issuers()
    {
        var answer = await GetAsync("/sign-in?request=1", "127.0.0.1:5080");
        Assert.Equal(HttpStatusCode.Redirect, answer.Status);
        Assert.Equal($"{ApiServer.Issuer}/sign-in?request=1", Person.Location(answer));
    }

    private async Task<ApiAnswer> GetAsync(string path, string authority)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = authority } };
        using var response = await _server.Http.SendAsync(request);
        return await ApiAnswer.ReadAsync(response);
    }

    [GeneratedRegex("""/pages/[0-9a-f]+/[\w.-]+""")]
    private static partial Regex FileNames { get; }
}
