using System.Net;
using Microsoft.AspNetCore.WebUtilities;
using Vibe.Apps.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>Attacks on the way from an app to the provider and back.</summary>
[Collection(PostgresCollection.Name)]
public sealed class AuthorizeAttackTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private readonly ApiServer _server = host.Server;

    [Theory]
    [InlineData("https://app.example/callback?kept=1&more=1")]
    [InlineData("https://app.example/callback?kept=1#fragment")]
    [InlineData("https://app.example/callback/../evil?kept=1")]
    [InlineData("https://app.example/Callback?kept=1")]
    [InlineData("https://APP.example/callback?kept=1")]
    [InlineData("https://app.example.evil.example/callback?kept=1")]
    [InlineData("https://app.example@evil.example/callback?kept=1")]
    [InlineData("https://app.example:443/callback?kept=1")]
    [InlineData("https://app.example/callback")]
    [InlineData("https://app.example/%63allback?kept=1")]
    [InlineData("http://app.example/callback?kept=1")]
    [InlineData("//app.example/callback?kept=1")]
    [InlineData("javascript:alert(1)")]
    [InlineData("https://evil.example/")]
    [InlineData(null)]
    public async Task A_redirect_uri_that_is_not_registered_gets_an_error_page_and_nothing_is_sent_there(string? redirectUri)
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var answer = await person.AuthorizeAsync(app, ("redirect_uri", redirectUri));
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Null(Person.Location(answer));
        Assert.Contains("<h1>This sign-in cannot go on</h1>", answer.Body, StringComparison.Ordinal);
        Assert.Contains(answer.Headers, static header => header.StartsWith("content-security-policy: default-src 'none'", StringComparison.Ordinal)
            && header.Contains("frame-ancestors 'none'", StringComparison.Ordinal));
        Assert.DoesNotContain("evil", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:51004/cb", true)]
    [InlineData("http://127.0.0.1/cb", true)]
    [InlineData("http://[::1]:8000/cb", true)]
    [InlineData("http://127.0.0.1:51004/other", false)]
    [InlineData("http://127.0.0.1:51004@evil.example/cb", false)]
    [InlineData("http://127.0.0.1.evil.example:1/cb", false)]
    [InlineData("http://localhost:51004/cb", false)]
    [InlineData("https://127.0.0.1:51004/cb", false)]
    public async Task A_loopback_address_with_another_port_is_for_apps_on_devices_only(string redirectUri, bool allowed)
    {
        var person = await Person.CreateAsync(_server);
        string[] registered = ["http://127.0.0.1/cb", "http://[::1]/cb"];
        foreach (var type in new[] { ClientType.Native, ClientType.Web, ClientType.Confidential })
        {
            var app = await TestApp.CreateAsync(_server, type, manifest => manifest.RedirectUris.Add(registered));
            var answer = await person.AuthorizeAsync(app, ("redirect_uri", redirectUri));
            var isExact = registered.Contains(redirectUri);
            Assert.Equal(isExact || (allowed && type == ClientType.Native) ? HttpStatusCode.SeeOther : HttpStatusCode.BadRequest, answer.Status);
        }
    }

    [Theory]
    [InlineData(null, "S256")]
    [InlineData("valid", null)]
    [InlineData("valid", "plain")]
    [InlineData("short", "S256")]
    [InlineData("not base64url! 0123456789012345678901234567", "S256")]
    public async Task No_code_without_PKCE(string? challenge, string? method)
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var told = Person.Told(await person.AuthorizeAsync(
            app, ("code_challenge", challenge == "valid" ? Person.Challenge : challenge), ("code_challenge_method", method)));
        Assert.Equal("invalid_request", told["error"]);
    }

    [Fact]
    public async Task An_unknown_app_gets_an_error_page()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        Assert.Equal(HttpStatusCode.BadRequest, (await person.AuthorizeAsync(app, ("client_id", "did:web:nobody"))).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await person.AuthorizeAsync(app, ("client_id", null))).Status);
    }

    [Theory]
    [InlineData("client_id")]
    [InlineData("redirect_uri")]
    [InlineData("scope")]
    [InlineData("state")]
    [InlineData("code_challenge")]
    public async Task A_parameter_that_is_there_twice_is_refused(string name)
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var address = QueryHelpers.AddQueryString("/oauth/authorize", Person.Request(app)!);
        var answer = await person.Browser.GetAsync($"{address}&{name}=again");
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Null(Person.Location(answer));

        // And where programs ask.
        var posted = await app.SendAsync("/oauth/par", [.. Person.Request(app).Select(static pair => (pair.Key, pair.Value)), (name, "again")]);
        Assert.Equal("invalid_request", (string?)posted.Json["error"]);
    }

    [Fact]
    public async Task Oversized_parameters_are_refused()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        Assert.Equal("invalid_request", Person.Told(await person.AuthorizeAsync(app, ("state", new string('s', 4000))))["error"]);
        Assert.Equal("invalid_request", Person.Told(await person.AuthorizeAsync(app, ("nonce", new string('n', 4000))))["error"]);
        var posted = await app.SendAsync("/oauth/par", [("client_id", app.Did), ("state", new string('s', 100_000))]);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (posted.Status, (string?)posted.Json["error"]));
    }

    [Theory]
    [InlineData("admin")]
    [InlineData("documents:*:write")]
    [InlineData("documents:secrets:read")]
    [InlineData("account")]
    [InlineData("FEED")]
    [InlineData("openid \"quoted\"")]
    public async Task A_scope_that_is_not_in_the_manifest_is_refused(string scope)
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        Assert.Equal("invalid_scope", Person.Told(await person.AuthorizeAsync(app, ("scope", scope)))["error"]);
    }

    [Fact]
    public async Task A_pushed_request_works_once_for_its_app_only_and_hides_what_the_browser_says()
    {
        var (app, other, person) = (await TestApp.CreateAsync(_server), await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var pushed = await app.SendAsync("/oauth/par", Person.Request(app, ("state", "pushed")).Select(static pair => (pair.Key, pair.Value)));
        Assert.Equal(HttpStatusCode.Created, pushed.Status);
        var uri = (string)pushed.Json["request_uri"]!;

        Assert.Equal(HttpStatusCode.BadRequest, (await GoAsync(person, other.Did, uri)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await GoAsync(person, app.Did, uri + "x")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await GoAsync(person, app.Did, uri[..^43] + new string('A', 43))).Status);
        var answer = await GoAsync(person, app.Did, $"{uri}&state=browser&scope=openid&redirect_uri=https://evil.example");
        Assert.Equal("pushed", Person.Told(await person.AllowAndGoAsync(answer))["state"]);

        var again = await GoAsync(person, app.Did, uri);
        Assert.Equal(HttpStatusCode.BadRequest, again.Status);
        Assert.Contains("invalid_request_uri", again.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pushed_request_waits_ninety_seconds()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var pushed = await app.SendAsync("/oauth/par", Person.Request(app).Select(static pair => (pair.Key, pair.Value)));
        Assert.Equal(90, (int)pushed.Json["expires_in"]!);
        host.Time.Pass(TimeSpan.FromSeconds(91));
        Assert.Equal(HttpStatusCode.BadRequest, (await GoAsync(person, app.Did, (string)pushed.Json["request_uri"]!)).Status);
    }

    [Fact]
    public async Task An_app_that_wants_requests_pushed_gets_no_others()
    {
        var app = await TestApp.CreateAsync(_server, change: static manifest => manifest.RequirePushedAuthorizationRequests = true);
        var person = await Person.CreateAsync(_server);
        Assert.Equal("invalid_request", Person.Told(await person.AuthorizeAsync(app))["error"]);
        var pushed = await app.SendAsync("/oauth/par", Person.Request(app).Select(static pair => (pair.Key, pair.Value)));
        Assert.NotEmpty(Person.Told(await person.AllowAndGoAsync(await GoAsync(person, app.Did, (string)pushed.Json["request_uri"]!)))["code"]);
    }

    [Fact]
    public async Task A_consent_is_taken_from_the_page_of_its_own_browser_and_person_once()
    {
        var (app, person, stranger) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server), await Person.CreateAsync(_server));
        var id = Person.Location(await person.AuthorizeAsync(app))!["/consent?request=".Length..];
        var path = $"/auth/requests/{id}:decide";
        const string Yes = """{"allow":true}""";

        // From another site, from no page, as a form, in another browser.
        (await person.Browser.SendAsync(HttpMethod.Post, path, Yes, "https://evil.example")).Fails(HttpStatusCode.Forbidden, "PERMISSION_DENIED", "ORIGIN_NOT_ALLOWED");
        (await person.Browser.SendAsync(HttpMethod.Post, path, Yes, origin: null)).Fails(HttpStatusCode.Forbidden, "PERMISSION_DENIED", "ORIGIN_NOT_ALLOWED");
        Assert.Equal(HttpStatusCode.BadRequest, (await person.Browser.SendAsync(HttpMethod.Post, path, "allow=true", ApiServer.Issuer, "text/plain")).Status);
        (await stranger.Browser.PostAsync(path, Yes)).Fails(HttpStatusCode.NotFound, "NOT_FOUND", "AUTHORIZATION_REQUEST_NOT_FOUND");
        (await stranger.Browser.GetAsync($"/auth/requests/{id}")).Fails(HttpStatusCode.NotFound, "NOT_FOUND", "AUTHORIZATION_REQUEST_NOT_FOUND");
        Assert.Equal(HttpStatusCode.BadRequest, (await stranger.Browser.GetAsync($"/oauth/authorize?request={id}")).Status);

        // More than was asked for.
        Assert.Equal(HttpStatusCode.BadRequest, (await person.Browser.PostAsync(path, """{"allow":true,"scopes":["admin"]}""")).Status);
        Assert.Equal("consent_required", Person.Told(await person.AuthorizeAsync(app, ("prompt", "none")))["error"]);

        (await person.Browser.PostAsync(path, Yes)).Ok();
        (await person.Browser.PostAsync(path, Yes)).Fails(HttpStatusCode.NotFound, "NOT_FOUND", "AUTHORIZATION_REQUEST_NOT_FOUND");

        // Somebody else who signs in to the same browser does not finish what this person allowed.
        foreach (var (name, value) in stranger.Browser.Cookies.Where(static cookie => cookie.Key.Contains("session", StringComparison.Ordinal)).ToArray())
        {
            person.Browser.Cookies[name] = value;
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await person.Browser.GetAsync($"/oauth/authorize?request={id}")).Status);
    }

    [Fact]
    public async Task A_request_brings_one_code()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var id = Person.Location(await person.AuthorizeAsync(app))!["/consent?request=".Length..];
        var next = (string)(await person.Browser.PostAsync($"/auth/requests/{id}:decide", """{"allow":true}""")).Ok()["redirectUri"]!;
        Assert.NotEmpty(Person.Told(await person.Browser.GetAsync(next))["code"]);
        Assert.Equal(HttpStatusCode.BadRequest, (await person.Browser.GetAsync(next)).Status);
    }

    [Fact]
    public async Task Nothing_that_holds_a_code_is_kept_or_passed_on()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        await person.AllowAsync(app);
        foreach (var mode in new[] { "query", "form_post" })
        {
            var answer = await person.AuthorizeAsync(app, ("response_mode", mode));
            Assert.Contains("cache-control: no-store", answer.Headers);
            Assert.Contains("referrer-policy: no-referrer", answer.Headers);
        }
    }

    [Fact]
    public async Task A_stopped_app_gets_no_code()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        await _server.Database.Owner.ExecuteAsync($"update vibe.apps set disable_time = now() where did = {app.Did}", CancellationToken.None);
        Assert.Equal("unauthorized_client", Person.Told(await person.AuthorizeAsync(app))["error"]);
    }

    private static Task<ApiAnswer> GoAsync(Person person, string client, string requestUri) =>
        person.Browser.GetAsync($"/oauth/authorize?client_id={Uri.EscapeDataString(client)}&request_uri={requestUri}");
}
