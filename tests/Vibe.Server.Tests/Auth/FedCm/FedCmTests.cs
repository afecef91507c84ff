using System.Net;
using System.Text.Json.Nodes;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;
using Vibe.Server.Tests.Auth.OAuth;

namespace Vibe.Server.Tests.Auth.FedCm;

/// <summary>The endpoints that the browser's own dialog calls, and those who pretend to be a browser.</summary>
[Collection(PostgresCollection.Name)]
public sealed class FedCmTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private const string Cookie = "vibe-fedcm";

    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task The_files_name_this_origin()
    {
        var known = (await SendAsync(HttpMethod.Get, "/.well-known/web-identity")).Ok();
        Assert.Equal($"{ApiServer.Issuer}/fedcm/config.json", (string?)known["provider_urls"]![0]);
        var config = (await SendAsync(HttpMethod.Get, "/fedcm/config.json")).Ok();
        foreach (var name in (string[])["accounts_endpoint", "client_metadata_endpoint", "id_assertion_endpoint", "disconnect_endpoint", "login_url"])
        {
            Assert.StartsWith(ApiServer.Issuer + "/", (string?)config[name], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_dialog_shows_a_name_and_no_address_and_which_apps_were_allowed_before()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        await person.TokensAsync(app);
        var account = Assert.Single((await SendAsync(HttpMethod.Get, "/fedcm/accounts", person)).Ok()["accounts"]!.AsArray())!;
        Assert.Equal(person.Did, (string?)account["id"]);
        Assert.Equal("A Person", (string?)account["name"]);
        Assert.Null(account["email"]);
        Assert.Equal([app.Did], account["approved_clients"]!.AsArray().Select(static did => (string)did!));
    }

    [Fact]
    public async Task A_code_from_the_dialog_is_redeemed_without_an_address_once_with_its_verifier()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        await person.TokensAsync(app);
        var code = (string)(await AssertAsync(app, person)).Ok()["token"]!;
        var wrong = await app.PostAsync("/oauth/token", ("grant_type", "authorization_code"), ("code", code), ("code_verifier", new string('w', 64)));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.Status);
        var other = (string)(await AssertAsync(app, person)).Ok()["token"]!;
        var tokens = await app.PostAsync("/oauth/token", ("grant_type", "authorization_code"), ("code", other), ("code_verifier", Person.Verifier));
        Assert.Equal("n0nce", (string?)Person.Claims((string)tokens.Ok()["id_token"]!)["nonce"]);
        var again = await app.PostAsync("/oauth/token", ("grant_type", "authorization_code"), ("code", other), ("code_verifier", Person.Verifier));
        Assert.Equal("invalid_grant", (string?)JsonNode.Parse(again.Body)!["error"]);
    }

    [Fact]
    public async Task What_the_dialog_said_needs_no_page_and_anything_else_does()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        Assert.NotNull((await AssertAsync(app, person, scope: "openid profile")).Ok()["continue_on"]);
        Assert.NotNull((await AssertAsync(app, person, scope: "openid feed", disclosed: true)).Ok()["continue_on"]);
        Assert.NotNull((await AssertAsync(app, person, scope: "openid profile", disclosed: true)).Ok()["token"]);
        Assert.NotNull((await AssertAsync(app, person, scope: "openid profile")).Ok()["token"]);
        var page = (string)(await AssertAsync(app, person, scope: "openid feed")).Ok()["continue_on"]!;
        var back = await person.AllowAndGoAsync(await person.Browser.GetAsync(page));
        Assert.Equal(HttpStatusCode.OK, back.Status);
        Assert.Contains("IdentityProvider.resolve", back.Body, StringComparison.Ordinal);
        Assert.NotNull((await AssertAsync(app, person, scope: "openid feed")).Ok()["token"]);
    }

    [Theory]
    [InlineData("no browser", 400)]
    [InlineData("an image", 400)]
    [InlineData("another origin", 400)]
    [InlineData("no origin", 400)]
    [InlineData("another app", 400)]
    [InlineData("an unknown app", 400)]
    [InlineData("somebody else", 400)]
    [InlineData("signed out", 401)]
    [InlineData("the cookie of the session", 401)]
    [InlineData("no PKCE", 400)]
    [InlineData("plain PKCE", 400)]
    [InlineData("params that are no JSON", 400)]
    [InlineData("params with a number", 400)]
    [InlineData("a scope that the manifest does not name", 400)]
    public async Task Nobody_gets_a_code_with(string attack, int status)
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        await person.TokensAsync(app);
        var other = await TestApp.CreateAsync(_server, change: manifest =>
        {
            manifest.Origins.Clear();
            manifest.Origins.Add("https://other.example");
        });
        var answer = attack switch
        {
            "no browser" => await AssertAsync(app, person, destination: null),
            "an image" => await AssertAsync(app, person, destination: "image"),
            "another origin" => await AssertAsync(app, person, origin: "https://evil.example"),
            "no origin" => await AssertAsync(app, person, origin: null),
            "another app" => await AssertAsync(other, person),
            "an unknown app" => await AssertAsync(app, person, client: "did:web:vibe.test:apps:nobody"),
            "somebody else" => await AssertAsync(app, person, account: (await Person.CreateAsync(_server)).Did),
            "signed out" => await AssertAsync(app, await Person.CreateSignedOutAsync(_server), account: person.Did),
            "the cookie of the session" => await AssertAsync(app, person, cookie: "__Host-vibe-session"),
            "no PKCE" => await AssertAsync(app, person, parameters: """{"response_type":"code","scope":"openid"}"""),
            "plain PKCE" => await AssertAsync(app, person, parameters:
                $$"""{"response_type":"code","scope":"openid","code_challenge":"{{Person.Challenge}}","code_challenge_method":"plain"}"""),
            "params that are no JSON" => await AssertAsync(app, person, parameters: "scope=openid"),
            "params with a number" => await AssertAsync(app, person, parameters: """{"response_type":"code","scope":1}"""),
            _ => await AssertAsync(app, person, scope: "openid documents:secrets:read"),
        };
        Assert.Equal(status, (int)answer.Status);
        Assert.NotNull(JsonNode.Parse(answer.Body)!["error"]!["code"]);
        Assert.DoesNotContain("token\"", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_may_be_read_by_the_apps_own_origin_only()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        await person.TokensAsync(app);
        var answer = await AssertAsync(app, person);
        Assert.Contains($"access-control-allow-origin: {TestApp.Origin}", answer.Headers);
        Assert.Contains("access-control-allow-credentials: true", answer.Headers);
        var refused = await AssertAsync(app, person, origin: "https://evil.example");
        Assert.DoesNotContain(refused.Headers, static header => header.StartsWith("access-control-allow-origin", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Disconnecting_ends_the_tokens()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var tokens = await person.TokensAsync(app);
        (await SendAsync(HttpMethod.Post, "/fedcm/disconnect", person, TestApp.Origin, [("client_id", app.Did), ("account_hint", person.Did)])).Ok();
        Assert.Equal(HttpStatusCode.Unauthorized, (await app.UserInfoAsync((string)tokens["access_token"]!)).Status);
        Assert.NotNull((await AssertAsync(app, person)).Ok()["continue_on"]);
    }

    private Task<ApiAnswer> AssertAsync(
        TestApp app, Person person, string scope = TestApp.Scope, bool disclosed = false, string? parameters = null, string? origin = TestApp.Origin,
        string? destination = "webidentity", string? client = null, string? account = null, string cookie = Cookie)
    {
        parameters ??= new JsonObject
        {
            ["response_type"] = "code", ["scope"] = scope, ["nonce"] = "n0nce", ["code_challenge"] = Person.Challenge, ["code_challenge_method"] = "S256",
        }.ToJsonString();
        return SendAsync(
            HttpMethod.Post, "/fedcm/assertion", person, origin,
            [
                ("client_id", client ?? app.Did), ("account_id", account ?? person.Did), ("disclosure_text_shown", disclosed ? "true" : "false"),
                ("is_auto_selected", "false"), ("params", parameters),
            ],
            destination, cookie);
    }

    // As the browser sends it: its cookie and its destination, and no other cookie.
    private async Task<ApiAnswer> SendAsync(
        HttpMethod method, string path, Person? person = null, string? origin = null, IEnumerable<(string Name, string Value)>? fields = null,
        string? destination = "webidentity", string cookie = Cookie)
    {
        using var request = new HttpRequestMessage(method, path);
        if (fields is not null)
        {
            request.Content = new FormUrlEncodedContent(fields.Select(static field => KeyValuePair.Create(field.Name, field.Value)));
        }

        if (destination is not null)
        {
            request.Headers.Add("Sec-Fetch-Dest", destination);
        }

        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        if (person is not null && person.Browser.Cookies.TryGetValue(cookie, out var value))
        {
            request.Headers.Add("Cookie", $"{cookie}={value}");
        }

        using var response = await _server.Http.SendAsync(request);
        return await ApiAnswer.ReadAsync(response);
    }
}
