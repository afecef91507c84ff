using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Hosting;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>Cookies, and what the pages' endpoints take from whom.</summary>
[Collection(PostgresCollection.Name)]
public sealed class SessionTests(AccountsHost host) : IClassFixture<AccountsHost>
{
    private const string Cookie = "__Host-vibe-session";
    private const string Password = "correct horse battery";

    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task Cookies_are_for_this_origin_and_no_script()
    {
        var (browser, _, _) = await host.SignUpAsync(Password);
        var session = Assert.Single(browser.SetCookies, static cookie => cookie.StartsWith(Cookie, StringComparison.Ordinal));
        foreach (var rule in (string[])["; path=/;", "; secure", "; samesite=lax", "; httponly"])
        {
            Assert.Contains(rule, session + ";", StringComparison.OrdinalIgnoreCase);
        }

        Assert.DoesNotContain("domain", session, StringComparison.OrdinalIgnoreCase);
        var fedCm = Assert.Single(browser.SetCookies, static cookie => cookie.StartsWith("vibe-fedcm=", StringComparison.Ordinal));
        foreach (var rule in (string[])["; path=/fedcm;", "; secure", "; samesite=none", "; httponly"])
        {
            Assert.Contains(rule, fedCm + ";", StringComparison.OrdinalIgnoreCase);
        }

        Assert.NotEqual(browser.Cookies[Cookie], browser.Cookies["vibe-fedcm"]);
    }

    [Fact]
    public async Task The_cookie_of_fedcm_is_no_session()
    {
        var (browser, _, _) = await host.SignUpAsync(Password);
        var thief = host.NewBrowser();
        thief.Cookies[Cookie] = browser.Cookies["vibe-fedcm"];
        Assert.Null((await thief.GetAsync("/auth/session")).Ok()["account"]);
    }

    [Fact]
    public async Task A_planted_cookie_is_worth_nothing_after_sign_in_and_every_sign_in_has_a_new_one()
    {
        var (attacker, _, _) = await host.SignUpAsync(Password);
        var (_, did, handle) = await host.SignUpAsync(Password);
        var victim = host.NewBrowser();
        victim.Cookies[Cookie] = attacker.Cookies[Cookie];
        var json = $$"""{"identifier":"{{handle}}","password":"{{Password}}"}""";
        (await victim.PostAsync("/auth/password/sign-in", json)).Ok();
        var first = victim.Cookies[Cookie];
        Assert.NotEqual(attacker.Cookies[Cookie], first);

        // What was planted has ended with it.
        Assert.Null((await attacker.GetAsync("/auth/session")).Ok()["account"]);

        (await victim.PostAsync("/auth/password/sign-in", json)).Ok();
        Assert.NotEqual(first, victim.Cookies[Cookie]);
        Assert.Equal(did, (string?)(await victim.GetAsync("/auth/session")).Ok()["account"]!["did"]);
        var old = host.NewBrowser();
        old.Cookies[Cookie] = first;
        Assert.Null((await old.GetAsync("/auth/session")).Ok()["account"]);
    }

    [Theory]
    [InlineData("revoke_time = now()")]
    [InlineData("expire_time = now()")]
    [InlineData("last_use_time = now() - interval '31 days'")]
    public async Task A_session_ends_when_it_is_revoked_old_or_idle(string change)
    {
        var (browser, did, _) = await host.SignUpAsync(Password);
        await _server.Database.Owner.ExecuteAsync(change switch
        {
            "revoke_time = now()" => $"update vibe.sessions set revoke_time = now() where did = {did}",
            "expire_time = now()" => $"update vibe.sessions set expire_time = now() where did = {did}",
            _ => (Sql)$"update vibe.sessions set last_use_time = now() - interval '31 days' where did = {did}",
        }, default);
        Assert.Null((await browser.GetAsync("/auth/session")).Ok()["account"]);
        (await browser.PostAsync("/auth/account-token")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_REQUIRED");
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_its_tokens_and_tells_the_browser()
    {
        var (browser, _, _) = await host.SignUpAsync(Password);
        var secret = browser.Cookies[Cookie];
        var token = (string)(await browser.PostAsync("/auth/account-token")).Ok()["accessToken"]!;
        var user = new ApiUser(_server, "", token);
        (await user.GetAsync("/v1/documents?collection=notes")).Ok();

        var answer = await browser.PostAsync("/auth/sign-out");
        answer.Ok();
        Assert.Contains("set-login: logged-out", answer.Headers);
        Assert.False(browser.Cookies.ContainsKey(Cookie));
        var thief = host.NewBrowser();
        thief.Cookies[Cookie] = secret;
        Assert.Null((await thief.GetAsync("/auth/session")).Ok()["account"]);
        (await user.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
    }

    [Fact]
    public async Task Apps_stay_signed_in_at_a_step_up_and_are_signed_out_with_the_browser()
    {
        var (browser, did, handle) = await host.SignUpAsync(Password);
        var (app, family) = ($"did:web:vibe.test:apps:{Guid.NewGuid():N}", Guid.NewGuid());
        var owner = _server.Database.Owner;
        await owner.ExecuteAsync($"insert into vibe.apps (did, name) values ({app}, {AccountsHost.NewHandle()})", default);
        await owner.ExecuteAsync(
            $"""
            insert into vibe.token_families (id, did, app_did, session_id, expire_time)
            select {family}, {did}, {app}, id, now() + interval '1 day' from vibe.sessions where did = {did} and revoke_time is null
            """, default);
        var user = new ApiUser(_server, did, _server.Sign(did, "documents:*:write", grant: family.ToString()));

        (await browser.PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"{{Password}}"}""")).Ok();
        (await user.GetAsync("/v1/documents?collection=notes")).Ok();
        (await browser.PostAsync("/auth/sign-out")).Ok();
        (await user.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        Assert.NotNull(await owner.QueryFirstAsync($"select revoke_time from vibe.token_families where id = {family}", static row => row.GetTimestampOrNull(0), default));
    }

    [Fact]
    public async Task An_operator_is_one_after_a_fresh_sign_in_only()
    {
        var (browser, did, handle) = await host.SignUpAsync(Password);
        const string Json = """{"collection":"notes","path":"data.x"}""";
        (await (await TokenAsync()).PostAsync("/v1/fieldIndexes:approve", Json)).Fails(HttpStatusCode.Forbidden, "PERMISSION_DENIED", "SCOPE_REQUIRED");
        await OperationsAsync(static (accounts, name) => accounts.SetOperatorAsync(name, true, default), handle);
        (await (await TokenAsync()).PostAsync("/v1/fieldIndexes:approve", Json)).Ok();
        await _server.Database.Owner.ExecuteAsync($"update vibe.sessions set auth_time = now() - interval '11 min' where did = {did}", default);
        (await (await TokenAsync()).PostAsync("/v1/fieldIndexes:approve", Json)).Fails(HttpStatusCode.Forbidden, "PERMISSION_DENIED", "SCOPE_REQUIRED");

        async Task<ApiUser> TokenAsync() => new(_server, did, (string)(await browser.PostAsync("/auth/account-token")).Ok()["accessToken"]!);
    }

    [Theory]
    [InlineData("https://evil.example", "application/json", HttpStatusCode.Forbidden)]
    [InlineData("http://x.vibe.localhost:0", "application/json", HttpStatusCode.Forbidden)]
    [InlineData("http://vibe.localhost:1", "application/json", HttpStatusCode.Forbidden)]
    [InlineData("null", "application/json", HttpStatusCode.Forbidden)]
    [InlineData(null, "application/json", HttpStatusCode.Forbidden)]
    [InlineData(ApiServer.Issuer, "text/plain", HttpStatusCode.BadRequest)]
    [InlineData(ApiServer.Issuer, "application/x-www-form-urlencoded", HttpStatusCode.BadRequest)]
    public async Task Other_origins_and_forms_are_refused(string? origin, string contentType, HttpStatusCode expected)
    {
        var (browser, _, _) = await host.SignUpAsync(Password);
        var answer = await browser.SendAsync(HttpMethod.Post, "/auth/sign-out", "{}", origin, contentType);
        Assert.Equal(expected, answer.Status);
        Assert.NotNull((await browser.GetAsync("/auth/session")).Ok()["account"]);
    }

    [Fact]
    public async Task A_page_of_another_site_cannot_ask_who_is_signed_in()
    {
        var (browser, _, _) = await host.SignUpAsync(Password);
        var cross = await browser.SendAsync(
            HttpMethod.Get, "/auth/session", null, null, change: static request => request.Headers.Add("Sec-Fetch-Site", "same-site"));
        cross.Fails(HttpStatusCode.Forbidden, "PERMISSION_DENIED", "ORIGIN_NOT_ALLOWED");
        var asked = await browser.SendAsync(HttpMethod.Get, "/auth/session", null, "https://evil.example");
        asked.Fails(HttpStatusCode.Forbidden, "PERMISSION_DENIED", "ORIGIN_NOT_ALLOWED");
        Assert.DoesNotContain(asked.Headers, static header => header.StartsWith("access-control-allow-credentials", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"secret":"a","secret":"b"}""")]
    [InlineData("""{"secret":"a","more":"b"}""")]
    [InlineData("""{"secret":1}""")]
    public async Task A_body_that_is_not_the_object_is_refused_without_being_quoted(string body)
    {
        var answer = await host.NewBrowser().PostAsync("/auth/mail/confirm", body);
        answer.Fails(HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "INVALID_ARGUMENT");
        Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disabled_account_is_signed_out_everywhere_and_told_so_only_with_the_password()
    {
        var (browser, did, handle) = await host.SignUpAsync(Password);
        var user = new ApiUser(_server, did, _server.Sign(did, "documents:*:write"));
        (await user.GetAsync("/v1/documents?collection=notes")).Ok();
        await OperationsAsync(static (accounts, name) => accounts.SetDisabledAsync(name, true, default), handle);
        Assert.Null((await browser.GetAsync("/auth/session")).Ok()["account"]);
        await ApiServer.EventuallyAsync(async () => (await user.GetAsync("/v1/documents?collection=notes")).Status == HttpStatusCode.Unauthorized);
        (await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"wrong password"}"""))
            .Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        (await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"{{Password}}"}"""))
            .Fails(HttpStatusCode.Forbidden, "PERMISSION_DENIED", "ACCOUNT_DISABLED");

        await OperationsAsync(static (accounts, name) => accounts.SetDisabledAsync(name, false, default), handle);
        (await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"{{Password}}"}""")).Ok();
    }

    [Fact]
    public async Task What_has_expired_is_deleted_and_what_has_not_stays()
    {
        var (browser, did, _) = await host.SignUpAsync(Password);
        (await browser.PostAsync("/auth/passkeys/sign-in/options")).Ok();
        var owner = _server.Database.Owner;
        var (old, kept) = (Guid.NewGuid(), Guid.NewGuid());
        foreach (var (id, age) in ((Guid, TimeSpan)[])[(old, TimeSpan.FromDays(40)), (kept, TimeSpan.FromHours(1))])
        {
            await owner.ExecuteAsync(
                $"""
                insert into vibe.sessions (id, secret_hash, did, methods, auth_time, expire_time, revoke_time)
                values ({id}, {new Bytea(id.ToByteArray())}, {did}, array[]::text[], now(), now() + interval '1 day', now() - {age})
                """, default);
            await owner.ExecuteAsync($"insert into vibe.challenges (id, purpose, browser_hash, state, expire_time) values ({id}, 'x', '', '', now() + interval '1 h' - {age})", default);
        }

        var revocations = _server.App.Services.GetRequiredService<RevocationStore>();
        var (past, present) = (Revocation.OfGrant("past"), Revocation.OfGrant("present"));
        await revocations.InsertAsync(past, default);
        await revocations.InsertAsync(present, default);
        await owner.ExecuteAsync($"update vibe.revocations set expire_time = now() - interval '1 s' where id = {past.Id}", default);
        Assert.True(await _server.App.Services.GetServices<IHostedService>().OfType<Sweeper>().Single().SweepAsync(default));
        var sessions = await owner.QueryAsync($"select id from vibe.sessions where id = any({(Guid[])[old, kept]})", static row => row.GetGuid(0), default);
        Assert.Equal([kept], sessions);
        Assert.Empty(await owner.QueryAsync($"select id from vibe.challenges where id = {old}", static row => row.GetGuid(0), default));
        Assert.Equal([present.Id], await owner.QueryAsync(
            $"select id from vibe.revocations where id = any({(Guid[])[past.Id, present.Id]})", static row => row.GetGuid(0), default));
        Assert.NotNull((await browser.GetAsync("/auth/session")).Ok()["account"]);
    }

    // As the command does it, beside the running server.
    private Task OperationsAsync(Func<AccountOperations, string, Task> change, string handle)
    {
        var services = _server.App.Services;
        return change(
            new AccountOperations(_server.Database, services.GetRequiredService<Audit>(), services.GetRequiredService<AuthOptions>(), TimeProvider.System), handle);
    }
}
