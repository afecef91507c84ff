using System.Net;
using System.Text.Json.Nodes;
using Vibe.Apps.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>Attacks on codes, refresh tokens and access tokens.</summary>
[Collection(PostgresCollection.Name)]
public sealed class TokenAttackTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task A_code_is_good_for_its_app_address_and_verifier_only()
    {
        var (app, other, person) = (await TestApp.CreateAsync(_server), await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var code = (await person.AllowAsync(app))["code"];

        Refused(await other.RedeemAsync(code, Person.Verifier));
        Refused(await app.RedeemAsync(code, new string('w', 64)));
        Refused(await app.RedeemAsync(code, Person.Challenge));
        Refused(await app.RedeemAsync(code, Person.Verifier, "https://app.example/other"));
        Refused(await app.PostAsync("/oauth/token", ("grant_type", "authorization_code"), ("code", code), ("code_verifier", Person.Verifier)));
        Assert.Equal("invalid_request", (string?)(await app.PostAsync(
            "/oauth/token", ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", TestApp.Callback))).Json["error"]);
        Refused(await app.RedeemAsync(code[..^1] + (code[^1] == 'A' ? 'B' : 'A'), Person.Verifier));

        // What others tried did not use it up.
        (await app.RedeemAsync(code, Person.Verifier)).Ok();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    public async Task A_code_that_comes_twice_ends_what_the_first_one_began(int secondsLater)
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var code = (await person.AllowAsync(app))["code"];
        var tokens = (await app.RedeemAsync(code, Person.Verifier)).Ok();
        host.Time.Pass(TimeSpan.FromSeconds(secondsLater));

        Refused(await app.RedeemAsync(code, Person.Verifier));
        await AllOverAsync(app, tokens);
    }

    [Fact]
    public async Task A_code_is_good_for_a_minute()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var code = (await person.AllowAsync(app))["code"];
        host.Time.Pass(TimeSpan.FromSeconds(61));
        Refused(await app.RedeemAsync(code, Person.Verifier));
    }

    [Fact]
    public async Task Of_twenty_who_redeem_one_code_at_once_one_gets_tokens_and_they_are_over()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var code = (await person.AllowAsync(app))["code"];
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => app.RedeemAsync(code, Person.Verifier)));
        var winner = Assert.Single(answers, static answer => answer.Status == HttpStatusCode.OK);
        await AllOverAsync(app, winner.Json);
    }

    [Fact]
    public async Task A_refresh_token_works_once_and_is_followed_by_another()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var first = await person.TokensAsync(app);
        var second = (await app.RefreshAsync((string)first["refresh_token"]!)).Ok();
        Assert.Equal(TestApp.Scope, (string?)second["scope"]);
        var (before, after) = (Person.Claims((string)first["id_token"]!), Person.Claims((string)second["id_token"]!));
        Assert.Equal(((string?)before["sub"], (string?)before["aud"], (long)before["auth_time"]!), ((string?)after["sub"], (string?)after["aud"], (long)after["auth_time"]!));
        Assert.Null(after["nonce"]);
        var third = (await app.RefreshAsync((string)second["refresh_token"]!)).Ok();

        // The first one again: somebody has it who should not. Everything ends, and the person can see why.
        Refused(await app.RefreshAsync((string)first["refresh_token"]!));
        await AllOverAsync(app, third);
        var reason = await _server.Database.Owner.QueryFirstAsync(
            $"select details ->> 'reason' from vibe.audit_events where type = 'token.revoke' and did = {person.Did} and app_did = {app.Did}",
            static row => row.GetString(0), CancellationToken.None);
        Assert.Equal("reuse", reason);
    }

    [Fact]
    public async Task Of_twenty_who_use_one_refresh_token_at_once_one_gets_tokens_and_they_are_over()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var token = (string)(await person.TokensAsync(app))["refresh_token"]!;
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => app.RefreshAsync(token)));
        var winner = Assert.Single(answers, static answer => answer.Status == HttpStatusCode.OK);
        await AllOverAsync(app, winner.Json);
    }

    [Fact]
    public async Task A_refresh_token_is_good_for_its_app_only()
    {
        var (app, other, person) = (await TestApp.CreateAsync(_server), await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var token = (string)(await person.TokensAsync(app))["refresh_token"]!;
        Refused(await other.RefreshAsync(token));
        (await app.RefreshAsync(token)).Ok();
    }

    [Fact]
    public async Task A_refresh_token_that_is_bound_to_a_key_is_worth_nothing_without_it_and_forgives_a_lost_answer()
    {
        var (app, person) = ((await TestApp.CreateAsync(_server)).With(new TestKey(host.Time)), await Person.CreateAsync(_server));
        var tokens = await person.TokensAsync(app);
        Assert.Equal("DPoP", (string?)tokens["token_type"]);
        var token = (string)tokens["refresh_token"]!;

        Refused(await app.With(null).RefreshAsync(token));
        Refused(await app.With(new TestKey(host.Time)).RefreshAsync(token));
        var lost = (await app.RefreshAsync(token)).Ok();
        host.Time.Pass(TimeSpan.FromSeconds(9));

        // The key's holder asks again: another token, and both go on.
        var sibling = (await app.RefreshAsync(token)).Ok();
        (await app.RefreshAsync((string)lost["refresh_token"]!)).Ok();
        var next = (await app.RefreshAsync((string)sibling["refresh_token"]!)).Ok();

        // A thief without the key ends nothing; after ten seconds the holder's own second use does.
        Refused(await app.With(null).RefreshAsync(token));
        host.Time.Pass(TimeSpan.FromSeconds(2));
        Refused(await app.RefreshAsync(token));
        Refused(await app.RefreshAsync((string)next["refresh_token"]!));
    }

    [Fact]
    public async Task A_refresh_asks_for_less_and_never_for_more()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var token = (string)(await person.TokensAsync(app, ("scope", "openid offline_access documents:notes:read")))["refresh_token"]!;
        var raised = await app.RefreshAsync(token, "openid documents:notes:write");
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_scope"), (raised.Status, (string?)raised.Json["error"]));

        var less = (await app.RefreshAsync(token, "documents:notes:read")).Ok();
        Assert.Equal("documents:notes:read", (string?)less["scope"]);
        Assert.Equal("documents:notes:read", (string?)Person.Claims((string)less["access_token"]!)["scope"]);
        Assert.Equal("openid offline_access documents:notes:read", (string?)(await app.RefreshAsync((string)less["refresh_token"]!)).Ok()["scope"]);
    }

    [Fact]
    public async Task What_a_person_takes_back_is_gone_at_the_next_refresh()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var token = (string)(await person.TokensAsync(app))["refresh_token"]!;
        await _server.Database.Owner.ExecuteAsync(
            $"update vibe.grants set scopes = array_remove(scopes, 'documents:notes:write') where did = {person.Did} and app_did = {app.Did}",
            CancellationToken.None);
        var refreshed = (await app.RefreshAsync(token)).Ok();
        Assert.DoesNotContain("documents:notes:write", (string)refreshed["scope"]!, StringComparison.Ordinal);
        Assert.DoesNotContain("documents:notes:write", (string)Person.Claims((string)refreshed["access_token"]!)["scope"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("access_token")]
    [InlineData("refresh_token")]
    public async Task An_app_revokes_its_own_tokens_and_nobody_elses(string kind)
    {
        var (app, other, person) = (await TestApp.CreateAsync(_server), await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var tokens = await person.TokensAsync(app);
        var user = new ApiUser(_server, person.Did, (string)tokens["access_token"]!);

        Assert.Equal(HttpStatusCode.OK, (await other.PostAsync("/oauth/revoke", ("token", (string)tokens[kind]!))).Status);
        Assert.Equal(HttpStatusCode.OK, (await app.PostAsync("/oauth/revoke", ("token", "no such token"))).Status);
        (await user.GetAsync("/v1/documents?collection=notes")).Ok();

        Assert.Equal(HttpStatusCode.OK, (await app.PostAsync("/oauth/revoke", ("token", (string)tokens[kind]!), ("token_type_hint", "nonsense"))).Status);
        (await user.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        await AllOverAsync(app, tokens);
    }

    [Fact]
    public async Task A_token_is_taken_for_what_it_is()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var tokens = await person.TokensAsync(app);
        foreach (var kind in new[] { "id_token", "refresh_token" })
        {
            var wrong = (string)tokens[kind]!;
            (await new ApiUser(_server, "", wrong).GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_INVALID");
            Assert.Equal("invalid_token", (string?)(await app.UserInfoAsync(wrong)).Json["error"]);
        }

        // And an access token is no hint of whom an app means.
        Assert.Equal("invalid_request", Person.Told(await person.AuthorizeAsync(app, ("id_token_hint", (string)tokens["access_token"]!)))["error"]);
    }

    [Fact]
    public async Task An_app_learns_of_its_own_tokens_only()
    {
        var (app, other) = (await TestApp.CreateAsync(_server, ClientType.Confidential), await TestApp.CreateAsync(_server, ClientType.Confidential));
        var person = await Person.CreateAsync(_server);
        var tokens = await person.TokensAsync(app);
        foreach (var kind in new[] { "access_token", "refresh_token" })
        {
            var token = (string)tokens[kind]!;
            var known = (await app.PostAsync("/oauth/introspect", ("token", token))).Ok();
            Assert.Equal((true, person.Did, app.Did), ((bool)known["active"]!, (string?)known["sub"], (string?)known["client_id"]));
            Assert.Equal("""{"active":false}""", (await other.PostAsync("/oauth/introspect", ("token", token))).Ok().ToJsonString());
        }

        await app.PostAsync("/oauth/revoke", ("token", (string)tokens["refresh_token"]!));
        Assert.Equal("""{"active":false}""", (await app.PostAsync("/oauth/introspect", ("token", (string)tokens["access_token"]!))).Ok().ToJsonString());
        var @public = await TestApp.CreateAsync(_server);
        Assert.Equal(HttpStatusCode.Unauthorized, (await @public.PostAsync("/oauth/introspect", ("token", (string)tokens["access_token"]!))).Status);
    }

    [Fact]
    public async Task There_is_no_password_grant()
    {
        var app = await TestApp.CreateAsync(_server);
        var answer = await app.PostAsync("/oauth/token", ("grant_type", "password"), ("username", "a"), ("password", "b"));
        Assert.Equal((HttpStatusCode.BadRequest, "unsupported_grant_type"), (answer.Status, (string?)answer.Json["error"]));
    }

    private static void Refused(ApiAnswer answer) =>
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_grant"), (answer.Status, (string?)answer.Json["error"]));

    // Nothing of the sign-in is good any more: neither for asking nor for going on.
    private async Task AllOverAsync(TestApp app, JsonNode tokens)
    {
        Refused(await app.RefreshAsync((string)tokens["refresh_token"]!));
        Assert.Equal(HttpStatusCode.Unauthorized, (await app.UserInfoAsync((string)tokens["access_token"]!)).Status);
        var call = await new ApiUser(_server, "", (string)tokens["access_token"]!).GetAsync("/v1/documents?collection=notes");
        call.Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
    }
}
