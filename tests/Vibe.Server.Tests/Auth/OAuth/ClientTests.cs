using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Apps.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>How apps prove who they are, what they get as themselves, and how that ends.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ClientTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private const string TokenUrl = ApiServer.Issuer + "/oauth/token";
    private static readonly (string Name, string Value)[] AsItself = [("grant_type", "client_credentials")];

    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task A_secret_is_taken_in_the_form_or_in_the_header()
    {
        var app = await TestApp.CreateAsync(_server, ClientType.Confidential);
        (await app.PostAsync("/oauth/token", AsItself)).Ok();
        (await BasicAsync(app, $"{Uri.EscapeDataString(app.Did)}:{app.Secret}")).Ok();

        // As curl -u sends it.
        (await BasicAsync(app, $"{app.Did}:{app.Secret}")).Ok();
    }

    [Fact]
    public async Task A_wrong_secret_another_apps_secret_or_none_is_refused()
    {
        var (app, other) = (await TestApp.CreateAsync(_server, ClientType.Confidential), await TestApp.CreateAsync(_server, ClientType.Confidential));
        foreach (var answer in new[]
        {
            await BasicAsync(app, $"{app.Did}:{other.Secret}"), await BasicAsync(app, $"{app.Did}:"), await BasicAsync(app, app.Did),
            await BasicAsync(app, $"{app.Did}:{app.Secret}x"), await BasicAsync(app, $"did:web:nobody:{app.Secret}"),
            await app.SendAsync("/oauth/token", [("client_id", app.Did), .. AsItself]),
            await app.SendAsync("/oauth/token", [("client_id", app.Did), ("client_secret", other.Secret!), .. AsItself]),
            await app.SendAsync("/oauth/token", AsItself),
        })
        {
            Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (answer.Status, (string?)answer.Json["error"]));
        }

        Assert.Contains("www-authenticate: Basic realm=\"vibe\"", (await BasicAsync(app, $"{app.Did}:wrong")).Headers);
    }

    [Fact]
    public async Task Two_ways_at_once_are_none()
    {
        var app = await TestApp.CreateAsync(_server, ClientType.Confidential);
        var answer = await app.PostAsync("/oauth/token", AsItself, request => request.Headers.Add("Authorization", Basic($"{app.Did}:{app.Secret}")));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (answer.Status, (string?)answer.Json["error"]));
    }

    [Fact]
    public async Task An_expired_or_revoked_secret_is_refused()
    {
        var app = await TestApp.CreateAsync(_server, ClientType.Confidential);
        await _server.Database.Owner.ExecuteAsync(
            $"update vibe.app_credentials set expire_time = now() where app_did = {app.Did}", CancellationToken.None);
        Assert.Equal(HttpStatusCode.Unauthorized, (await app.PostAsync("/oauth/token", AsItself)).Status);
        await _server.Database.Owner.ExecuteAsync(
            $"update vibe.app_credentials set expire_time = null, revoke_time = now() where app_did = {app.Did}", CancellationToken.None);
        Assert.Equal(HttpStatusCode.Unauthorized, (await app.PostAsync("/oauth/token", AsItself)).Status);
    }

    [Fact]
    public async Task An_app_that_keeps_no_secret_does_not_act_as_itself()
    {
        var app = await TestApp.CreateAsync(_server);
        Assert.Equal("unauthorized_client", (string?)(await app.PostAsync("/oauth/token", AsItself)).Json["error"]);
        Assert.Equal("invalid_client", (string?)(await app.PostAsync("/oauth/token", [.. AsItself, ("client_secret", "guess")])).Json["error"]);
    }

    [Fact]
    public async Task An_app_as_itself_writes_documents_of_its_own()
    {
        var app = await TestApp.CreateAsync(_server, ClientType.Confidential);
        var token = (string)(await app.PostAsync("/oauth/token", AsItself)).Ok()["access_token"]!;
        var document = await new ApiUser(_server, app.Did, token).CreateAsync("""{"collection":"jobs","data":{}}""");
        Assert.Equal(app.Did, (string?)document["owner"]);

        foreach (var scope in new[] { "admin", "openid", "documents:jobs:all" })
        {
            Assert.Equal("invalid_scope", (string?)(await app.PostAsync("/oauth/token", [.. AsItself, ("scope", scope)])).Json["error"]);
        }
    }

    [Fact]
    public async Task An_app_signs_with_its_key()
    {
        var (app, key) = (await TestApp.CreateAsync(_server, ClientType.Confidential), new TestKey(host.Time));
        await app.AddKeyAsync(key);
        (await AssertAsync(app, key.Assert(app.Did, ApiServer.Issuer))).Ok();
        (await AssertAsync(app, key.Assert(app.Did, TokenUrl))).Ok();
        (await AssertAsync(app, key.Assert(app.Did, "", static claims => claims["aud"] = new JsonArray(ApiServer.Issuer)))).Ok();
    }

    [Theory]
    [InlineData("aud", "\"https://other.example\"")]
    [InlineData("aud", "[\"http://vibe.localhost:0\",\"https://other.example\"]")]
    [InlineData("aud", "1")]
    [InlineData("iss", "\"did:web:other\"")]
    [InlineData("sub", "\"did:web:other\"")]
    [InlineData("exp", "1")]
    [InlineData("exp", "99999999999")]
    [InlineData("exp", "\"soon\"")]
    [InlineData("exp", null)]
    [InlineData("nbf", "99999999999")]
    [InlineData("iat", "99999999999")]
    [InlineData("jti", null)]
    public async Task An_assertion_that_is_not_for_us_and_now_is_refused(string claim, string? value)
    {
        var (app, key) = (await TestApp.CreateAsync(_server, ClientType.Confidential), new TestKey(host.Time));
        await app.AddKeyAsync(key);
        var assertion = key.Assert(app.Did, ApiServer.Issuer, claims =>
        {
            claims.Remove(claim);
            if (value is not null)
            {
                claims[claim] = JsonNode.Parse(value);
            }
        });
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), Failure(await AssertAsync(app, assertion)));
    }

    [Fact]
    public async Task An_assertion_works_once_and_another_key_never()
    {
        var (app, key) = (await TestApp.CreateAsync(_server, ClientType.Confidential), new TestKey(host.Time));
        await app.AddKeyAsync(key);
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), Failure(await AssertAsync(app, new TestKey(host.Time).Assert(app.Did, ApiServer.Issuer))));
        var assertion = key.Assert(app.Did, ApiServer.Issuer);
        (await AssertAsync(app, assertion)).Ok();
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), Failure(await AssertAsync(app, assertion)));
    }

    [Fact]
    public async Task A_challenge_stands_in_for_a_clock_once()
    {
        var (app, key) = (await TestApp.CreateAsync(_server, ClientType.Confidential), new TestKey(host.Time));
        await app.AddKeyAsync(key);
        var challenge = (await _server.Visitor().PostAsync("/v1/auth/challenge", $$"""{"clientId":"{{app.Did}}"}""")).Ok();
        var answer = key.Assert(app.Did, ApiServer.Issuer, claims =>
        {
            claims["jti"] = (string)challenge["challenge"]!;
            claims.Remove("exp");
        });
        var request = $$$"""{"client":{"clientAssertion":"{{{answer}}}"},"appItself":{"scope":"documents:jobs:read"}}""";
        var tokens = (await _server.Visitor().PostAsync("/v1/auth/token", request)).Ok()["tokens"]!;
        Assert.Equal(("documents:jobs:read", "Bearer", "600s"), ((string?)tokens["scope"], (string?)tokens["tokenType"], (string?)tokens["life"]));
        (await _server.Visitor().PostAsync("/v1/auth/token", request)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "CLIENT_INVALID");

        // Another app's challenge, or one nobody made.
        var other = await TestApp.CreateAsync(_server, ClientType.Confidential);
        var foreign = (string)(await _server.Visitor().PostAsync("/v1/auth/challenge", $$"""{"clientId":"{{other.Did}}"}""")).Ok()["challenge"]!;
        foreach (var id in new[] { foreign, new string('A', foreign.Length) })
        {
            var forged = key.Assert(app.Did, ApiServer.Issuer, claims =>
            {
                claims["jti"] = id;
                claims.Remove("exp");
            });
            (await _server.Visitor().PostAsync("/v1/auth/token", $$$"""{"client":{"clientAssertion":"{{{forged}}}"},"appItself":{}}"""))
                .Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "CLIENT_INVALID");
        }
    }

    [Fact]
    public async Task The_contract_issues_refreshes_and_revokes_by_the_same_rules()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var code = (await person.AllowAsync(app))["code"];
        var issue = $$$"""{"client":{"clientId":"{{{app.Did}}}"},"authorizationCode":{"code":"{{{code}}}","redirectUri":"{{{TestApp.Callback}}}","codeVerifier":"{{{Person.Verifier}}}"}}""";
        var first = (await _server.Visitor().PostAsync("/v1/auth/token", issue)).Ok()["tokens"]!;
        Assert.Equal(person.Did, (string?)Person.Claims((string)first["idToken"]!)["sub"]);

        var refresh = $$$"""{"client":{"clientId":"{{{app.Did}}}"},"refreshToken":"{{{first["refreshToken"]}}}"}""";
        var second = (await _server.Visitor().PostAsync("/v1/auth/refresh", refresh)).Ok()["tokens"]!;
        var user = new ApiUser(_server, person.Did, (string)second["accessToken"]!);
        (await user.GetAsync("/v1/documents?collection=notes")).Ok();
        (await user.DeleteAsync("/v1/auth/revoke")).Ok();
        (await user.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        (await _server.Visitor().PostAsync("/v1/auth/refresh", refresh)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "GRANT_INVALID");
        (await _server.Visitor().PostAsync("/v1/auth/token", issue)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "GRANT_INVALID");
    }

    [Fact]
    public async Task A_revoked_consent_ends_tokens_at_once()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var tokens = await person.TokensAsync(app);
        var user = new ApiUser(_server, person.Did, (string)tokens["access_token"]!);
        (await user.GetAsync("/v1/documents?collection=notes")).Ok();

        Assert.True(await _server.App.Services.GetRequiredService<Grants>().RevokeAsync(person.Did, app.Did, CancellationToken.None));
        (await user.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        Assert.Equal("invalid_grant", (string?)(await app.RefreshAsync((string)tokens["refresh_token"]!)).Json["error"]);
        Assert.Equal("consent_required", Person.Told(await person.AuthorizeAsync(app, ("prompt", "none")))["error"]);
    }

    [Fact]
    public async Task A_stopped_app_calls_no_more_and_gets_nothing_more()
    {
        var app = await TestApp.CreateAsync(_server, ClientType.Confidential);
        var person = await Person.CreateAsync(_server);
        var code = (await person.AllowAsync(app))["code"];
        var refreshToken = (string)(await person.TokensAsync(app))["refresh_token"]!;
        var token = (string)(await app.PostAsync("/oauth/token", AsItself)).Ok()["access_token"]!;
        await _server.Database.Owner.ExecuteAsync($"update vibe.apps set disable_time = now() where did = {app.Did}", CancellationToken.None);
        await _server.App.Services.GetRequiredService<Revoker>().RevokeAsync(Revocation.OfApp(app.Did), CancellationToken.None);
        (await new ApiUser(_server, app.Did, token).GetAsync("/v1/documents?collection=jobs")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");

        // Also as long as this node still takes the app for one that works.
        Assert.NotEqual(HttpStatusCode.OK, (await app.RedeemAsync(code, Person.Verifier)).Status);
        Assert.NotEqual(HttpStatusCode.OK, (await app.RefreshAsync(refreshToken)).Status);
        Assert.NotEqual(HttpStatusCode.OK, (await app.PostAsync("/oauth/token", AsItself)).Status);
        Assert.NotEqual(HttpStatusCode.OK, (await app.PostAsync(
            "/oauth/token", [("grant_type", TokenGrants.VisitorType)], static request => request.Headers.Add("Origin", TestApp.Origin))).Status);
        _server.App.Services.GetRequiredService<Clients>().Forget(app.Did);
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), Failure(await app.PostAsync("/oauth/token", AsItself)));
    }

    [Fact]
    public async Task A_token_of_the_command_line_can_be_revoked_like_any_other()
    {
        var services = _server.App.Services;
        var minted = new DevelopmentTokens(
            _server.Database, new NamedAccounts(_server.Database, services.GetRequiredService<AuthOptions>()), services.GetRequiredService<TokenCodec>(), host.Time);
        foreach (var (user, app) in new[] { ("somebody", (string?)null), ("somebody", "tool") })
        {
            var token = await minted.MintAsync(user, app, "documents:*:write", TimeSpan.FromHours(1), CancellationToken.None);
            var caller = new ApiUser(_server, "", token);
            (await caller.GetAsync("/v1/documents?collection=notes")).Ok();
            (await caller.DeleteAsync("/v1/auth/revoke")).Ok();
            (await caller.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        }
    }

    private static (HttpStatusCode Status, string? Error) Failure(ApiAnswer answer) => (answer.Status, (string?)answer.Json["error"]);

    private static Task<ApiAnswer> AssertAsync(TestApp app, string assertion) => app.SendAsync(
        "/oauth/token", [.. AsItself, ("client_assertion_type", ClientAssertions.Type), ("client_assertion", assertion)]);

    private static Task<ApiAnswer> BasicAsync(TestApp app, string credentials) =>
        app.SendAsync("/oauth/token", AsItself, request => request.Headers.Add("Authorization", Basic(credentials)));

    private static string Basic(string credentials) => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))}";
}
