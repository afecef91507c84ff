using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Apps.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>
/// The module Basic of the OpenID conformance list. Where certification sends no PKCE, this provider refuses: every request
/// here has it.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class BasicTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private readonly ApiServer _server = host.Server;

    [Theory]
    [InlineData(ClientType.Web)]
    [InlineData(ClientType.Native)]
    [InlineData(ClientType.Confidential)]
    public async Task A_code_becomes_tokens(ClientType type)
    {
        var (app, person) = (await TestApp.CreateAsync(_server, type), await Person.CreateAsync(_server));
        var told = await person.AllowAsync(app);
        Assert.Equal(("s t&te", ApiServer.Issuer, "1"), (told["state"], told["iss"], told["kept"]));

        var answer = await app.RedeemAsync(told["code"], Person.Verifier);
        var tokens = answer.Ok();
        Assert.Contains("cache-control: no-store", answer.Headers);
        Assert.Equal(("Bearer", 600, TestApp.Scope), ((string?)tokens["token_type"], (int)tokens["expires_in"]!, (string?)tokens["scope"]));

        // A bundle comes with what it stands for.
        var access = Person.Claims((string)tokens["access_token"]!);
        Assert.Equal("at+jwt", (string?)Person.Header((string)tokens["access_token"]!)["typ"]);
        Assert.Equal($"{TestApp.Scope} documents:posts:read documents:likes:write", (string?)access["scope"]);
        Assert.Equal((ApiServer.Issuer, ApiServer.Issuer, person.Did, app.Did),
            ((string?)access["iss"], (string?)access["aud"], (string?)access["sub"], (string?)access["client_id"]));

        var id = (string)tokens["id_token"]!;
        var claims = Person.Claims(id);
        Assert.Equal((ApiServer.Issuer, app.Did, person.Did, "n0nce", "phr"),
            ((string?)claims["iss"], (string?)claims["aud"], (string?)claims["sub"], (string?)claims["nonce"], (string?)claims["acr"]));
        Assert.Equal("""["hwk","user"]""", claims["amr"]!.ToJsonString());
        Assert.True((long)claims["exp"]! > (long)claims["iat"]!);
        using var jws = Jws.Parse(id);
        Assert.True(jws!.IsSignedBy(await KeyAsync((string)Person.Header(id)["kid"]!)));
    }

    [Fact]
    public async Task An_app_may_ask_for_RS256()
    {
        var (app, person) = (await TestApp.CreateAsync(_server, change: static manifest => manifest.IdTokenSignedResponseAlg = "RS256"), await Person.CreateAsync(_server));
        var id = (string)(await person.TokensAsync(app))["id_token"]!;
        Assert.Equal("RS256", (string?)Person.Header(id)["alg"]);
        using var jws = Jws.Parse(id);
        Assert.True(jws!.IsSignedBy(await KeyAsync((string)Person.Header(id)["kid"]!)));
    }

    [Fact]
    public async Task The_second_time_nobody_is_asked()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        await person.AllowAsync(app);
        Assert.NotEmpty(Person.Told(await person.AuthorizeAsync(app))["code"]);
        Assert.NotEmpty(Person.Told(await person.AuthorizeAsync(app, ("prompt", "none")))["code"]);
    }

    [Theory]
    [InlineData("response_type", null, "invalid_request")]
    [InlineData("response_type", "token", "unsupported_response_type")]
    [InlineData("response_type", "code id_token", "unsupported_response_type")]
    [InlineData("response_mode", "fragment", "invalid_request")]
    [InlineData("request", "eyJ.eyJ.", "request_not_supported")]
    [InlineData("request_uri", "https://app.example/request.jwt", "request_uri_not_supported")]
    [InlineData("registration", "{}", "registration_not_supported")]
    [InlineData("prompt", "none login", "invalid_request")]
    [InlineData("prompt", "sometimes", "invalid_request")]
    [InlineData("max_age", "-1", "invalid_request")]
    [InlineData("claims", "no json", "invalid_request")]
    [InlineData("id_token_hint", "no token", "invalid_request")]
    [InlineData("scope", null, "invalid_scope")]
    public async Task A_request_that_cannot_be_served_is_told_the_app(string name, string? value, string error)
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var told = Person.Told(await person.AuthorizeAsync(app, (name, value)));
        Assert.Equal((error, "s t&te", ApiServer.Issuer), (told["error"], told["state"], told["iss"]));
        Assert.DoesNotContain("code", told.Keys);
    }

    [Theory]
    [InlineData("display", "page")]
    [InlineData("display", "popup")]
    [InlineData("ui_locales", "fr-CA fr")]
    [InlineData("claims_locales", "fr")]
    [InlineData("acr_values", "phr 1")]
    [InlineData("login_hint", "somebody")]
    [InlineData("unknown", "parameter")]
    [InlineData("nonce", null)]
    [InlineData("scope", "openid email address phone profile")]
    [InlineData("scope", "profile openid")]
    [InlineData("claims", """{"userinfo":{"name":{"essential":true}},"id_token":{"auth_time":null}}""")]
    public async Task A_parameter_that_asks_for_little_does_no_harm(string name, string? value)
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        Assert.NotEmpty(await person.TokensAsync(app, (name, value)) is { } tokens ? (string)tokens["id_token"]! : "");
    }

    [Fact]
    public async Task Userinfo_answers_GET_and_POST_with_what_was_allowed()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var token = (string)(await person.TokensAsync(app))["access_token"]!;
        var claims = (await app.UserInfoAsync(token)).Ok();
        Assert.Equal((person.Did, "A Person", "en"), ((string?)claims["sub"], (string?)claims["name"], (string?)claims["locale"]));

        var posted = (await app.SendAsync("/oauth/userinfo", [("access_token", token)])).Ok();
        Assert.Equal(claims.ToJsonString(), posted.ToJsonString());
        var header = (await app.SendAsync("/oauth/userinfo", [], request => request.Headers.Add("Authorization", $"Bearer {token}"))).Ok();
        Assert.Equal(claims.ToJsonString(), header.ToJsonString());

        var less = (string)(await person.TokensAsync(app, ("scope", "openid")))["access_token"]!;
        Assert.Equal(["sub"], (await app.UserInfoAsync(less)).Ok().AsObject().Select(static claim => claim.Key));
    }

    [Fact]
    public async Task The_ID_token_tells_what_was_allowed_whatever_claims_are_asked_for()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        const string Asked = """{"id_token":{"name":{"essential":true},"email":null}}""";
        var less = Person.Claims((string)(await person.TokensAsync(app, ("scope", "openid"), ("claims", Asked)))["id_token"]!);
        Assert.Null(less["name"]);
        var more = Person.Claims((string)(await person.TokensAsync(app, ("claims", Asked)))["id_token"]!);
        Assert.Equal("A Person", (string?)more["name"]);
        Assert.Null(more["email"]);
    }

    [Fact]
    public async Task Who_is_not_signed_in_is_sent_to_sign_in_and_comes_back()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateSignedOutAsync(_server));
        var location = Person.Location(await person.AuthorizeAsync(app))!;
        Assert.StartsWith("/sign-in?request=", location, StringComparison.Ordinal);
        await person.SignInAsync();
        var consent = await person.Browser.GetAsync($"/oauth/authorize?request={location["/sign-in?request=".Length..]}");
        Assert.NotEmpty(Person.Told(await person.AllowAndGoAsync(consent))["code"]);
    }

    [Fact]
    public async Task Prompt_none_never_shows_a_page()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateSignedOutAsync(_server));
        Assert.Equal("login_required", Person.Told(await person.AuthorizeAsync(app, ("prompt", "none")))["error"]);
        await person.SignInAsync();
        Assert.Equal("consent_required", Person.Told(await person.AuthorizeAsync(app, ("prompt", "none")))["error"]);
    }

    [Theory]
    [InlineData("prompt", "login")]
    [InlineData("max_age", "1")]
    public async Task Who_signed_in_too_long_ago_does_it_again(string name, string value)
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var before = (long)Person.Claims((string)(await person.TokensAsync(app))["id_token"]!)["auth_time"]!;
        host.Time.Pass(TimeSpan.FromSeconds(5));

        var location = Person.Location(await person.AuthorizeAsync(app, (name, value)))!;
        Assert.StartsWith("/sign-in?request=", location, StringComparison.Ordinal);
        var id = location["/sign-in?request=".Length..];

        // Not before: coming back without having signed in ends at the same page.
        Assert.Equal(location, Person.Location(await person.Browser.GetAsync($"/oauth/authorize?request={id}")));
        await person.SignInAsync();
        var told = Person.Told(await person.Browser.GetAsync($"/oauth/authorize?request={id}"));
        var after = (long)Person.Claims((string)(await app.RedeemAsync(told["code"], Person.Verifier)).Ok()["id_token"]!)["auth_time"]!;
        Assert.True(after >= before + 5);
    }

    [Fact]
    public async Task A_sign_in_that_is_recent_enough_will_do()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        Assert.NotEmpty((await person.AllowAsync(app, ("max_age", "10000")))["code"]);
    }

    [Fact]
    public async Task An_ID_token_as_a_hint_means_that_person_and_nobody_else()
    {
        var (app, person, other) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server), await Person.CreateAsync(_server));
        var hint = (string)(await person.TokensAsync(app))["id_token"]!;
        Assert.NotEmpty(Person.Told(await person.AuthorizeAsync(app, ("prompt", "none"), ("id_token_hint", hint)))["code"]);
        await other.AllowAsync(app);
        Assert.Equal("login_required", Person.Told(await other.AuthorizeAsync(app, ("prompt", "none"), ("id_token_hint", hint)))["error"]);
    }

    [Fact]
    public async Task A_request_may_be_posted_from_another_site()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));

        // As the browser does it: without the cookies, which come when it follows.
        var posted = await app.SendAsync("/oauth/authorize", Person.Request(app).Select(static pair => (pair.Key, pair.Value)));
        var location = Person.Location(posted)!;
        Assert.StartsWith("/oauth/authorize?request=", location, StringComparison.Ordinal);
        Assert.NotEmpty(Person.Told(await person.AllowAndGoAsync(await person.Browser.GetAsync(location)))["code"]);
    }

    [Fact]
    public async Task Form_post_brings_the_code_in_a_form()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var answer = await person.AllowAndGoAsync(await person.AuthorizeAsync(app, ("response_mode", "form_post")));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Contains($"action=\"{TestApp.Callback}\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains("name=\"state\" value=\"s t&amp;te\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains($"name=\"iss\" value=\"{ApiServer.Issuer}\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains(answer.Headers, static header => header.Contains($"form-action {TestApp.Origin}; frame-ancestors 'none'", StringComparison.Ordinal));
        var code = answer.Body.Split("name=\"code\" value=\"")[1].Split('"')[0];
        (await app.RedeemAsync(code, Person.Verifier)).Ok();

        var failed = await person.AuthorizeAsync(app, ("response_mode", "form_post"), ("response_type", null));
        Assert.Contains("name=\"error\" value=\"invalid_request\"", failed.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_refuses_sends_the_app_away()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var id = Person.Location(await person.AuthorizeAsync(app))!["/consent?request=".Length..];
        var decided = (await person.Browser.PostAsync($"/auth/requests/{id}:decide", """{"allow":false}""")).Ok();
        Assert.Equal("access_denied", Person.Told(await person.Browser.GetAsync((string)decided["redirectUri"]!))["error"]);
    }

    [Fact]
    public async Task A_person_allows_some_of_it_and_more_later()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var id = Person.Location(await person.AuthorizeAsync(app))!["/consent?request=".Length..];
        var decided = (await person.Browser.PostAsync($"/auth/requests/{id}:decide", """{"allow":true,"scopes":["documents:notes:read"]}""")).Ok();
        var code = Person.Told(await person.Browser.GetAsync((string)decided["redirectUri"]!))["code"];
        Assert.Equal("openid documents:notes:read", (string?)(await app.RedeemAsync(code, Person.Verifier)).Ok()["scope"]);

        // The page shows what was allowed before, and a later consent adds to it.
        id = Person.Location(await person.AuthorizeAsync(app))!["/consent?request=".Length..];
        var granted = (await person.Browser.GetAsync($"/auth/requests/{id}")).Ok()["granted"]!.AsArray();
        Assert.Equal(["openid", "documents:notes:read"], granted.Select(static scope => (string)scope!["name"]!));
        Assert.Equal(TestApp.Scope, (string?)(await person.TokensAsync(app))["scope"]);
    }

    [Fact]
    public async Task What_is_allowed_for_a_time_ends_by_itself()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var end = host.Time.GetUtcNow().AddMinutes(2);
        var id = Person.Location(await person.AuthorizeAsync(app, ("scope", "openid offline_access")))!["/consent?request=".Length..];
        var decision = new JsonObject { ["allow"] = true, ["scopes"] = new JsonArray("offline_access"), ["expireTime"] = end };
        var decided = (await person.Browser.PostAsync($"/auth/requests/{id}:decide", decision.ToJsonString())).Ok();
        var code = Person.Told(await person.Browser.GetAsync((string)decided["redirectUri"]!))["code"];
        var tokens = (await app.RedeemAsync(code, Person.Verifier)).Ok();
        Assert.InRange((int)tokens["expires_in"]!, 60, 120);

        host.Time.Pass(TimeSpan.FromMinutes(3));
        Assert.Equal("invalid_grant", (string?)(await app.RefreshAsync((string)tokens["refresh_token"]!)).Json["error"]);
        Assert.StartsWith("/consent?", Person.Location(await person.AuthorizeAsync(app, ("scope", "openid offline_access")))!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Consent_shows_who_asks_for_what()
    {
        var (app, person) = (await TestApp.CreateAsync(_server, change: static manifest => manifest.Scopes[0].Required = true), await Person.CreateAsync(_server));
        var id = Person.Location(await person.AuthorizeAsync(app, ("login_hint", "me")))!["/consent?request=".Length..];
        var shown = (await person.Browser.GetAsync($"/auth/requests/{id}")).Ok();
        Assert.Equal(("app.example", false, "me"), ((string?)shown["app"]!["host"], (bool)shown["app"]!["verified"]!, (string?)shown["loginHint"]));
        Assert.False((bool)shown["reauthenticate"]! || (bool)shown["prompts"]!);
        var scopes = shown["asks"]!.AsArray().ToDictionary(static scope => (string)scope!["name"]!);
        Assert.Equal("Show your notes", (string?)scopes["documents:notes:read"]!["descriptions"]!["en"]);
        Assert.True((bool)scopes["documents:notes:read"]!["required"]!);
        Assert.True((bool)scopes["documents:notes:write"]!["writes"]!);
        Assert.Equal("""["documents:posts:read","documents:likes:write"]""", scopes["feed"]!["grants"]!.ToJsonString());

        // Without what the app cannot do without there is no half of it.
        (await person.Browser.PostAsync($"/auth/requests/{id}:decide", """{"allow":true,"scopes":["feed"]}"""))
            .Fails(HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "INVALID_ARGUMENT");
    }

    private Task<VerificationKey> KeyAsync(string id) => Task.FromResult(_server.App.Services.GetRequiredService<SigningKeys>().Find(id)!.Public);
}
