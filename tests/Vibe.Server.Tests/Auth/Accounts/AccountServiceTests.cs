using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>What people see and change of their own account.</summary>
[Collection(PostgresCollection.Name)]
public sealed class AccountServiceTests(AccountsHost host) : IClassFixture<AccountsHost>
{
    private const string Password = "correct horse battery";

    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task A_person_changes_name_and_handle_and_stays_who_they_are()
    {
        var (browser, did, handle) = await host.SignUpAsync(Password);
        var me = await TokenAsync(browser);
        var next = AccountsHost.NewHandle();
        var changed = (await me.PatchAsync("/v1/account", $$"""{"handle":"{{next}}","displayName":"Ana Sá","locale":"pt-PT"}""")).Ok();
        Assert.Equal((did, next, "Ana Sá", "pt-PT"),
            ((string?)changed["did"], (string?)changed["handle"], (string?)changed["displayName"], (string?)changed["locale"]));
        Assert.True((bool)changed["hasPassword"]!);

        // Nobody else gets the old handle; its owner may have it back.
        (await host.NewBrowser().PostAsync("/auth/password/sign-up", $$"""{"handle":"{{handle}}","password":"{{Password}}"}"""))
            .Fails(HttpStatusCode.Conflict, "ALREADY_EXISTS", "HANDLE_TAKEN");
        (await me.PatchAsync("/v1/account", $$"""{"handle":"{{handle}}"}""")).Ok();
        (await me.PatchAsync("/v1/account?update_mask=display_name", """{"displayName":""}""")).Ok();
        var account = (await me.GetAsync("/v1/account")).Ok();
        Assert.Equal((handle, ""), ((string?)account["handle"], (string?)account["displayName"] ?? ""));

        // After a year anybody may have it.
        await _server.Database.Owner.ExecuteAsync($"update vibe.released_handles set release_time = now() - interval '366 days' where handle = {next}", default);
        (await host.NewBrowser().PostAsync("/auth/password/sign-up", $$"""{"handle":"{{next}}","password":"{{Password}}"}""")).Ok();
    }

    [Theory]
    [InlineData("""{"displayName":"evil\u202etxt.exe"}""")]
    [InlineData("""{"displayName":"a\u0000b"}""")]
    [InlineData("""{"locale":"<script>"}""")]
    [InlineData("""{"handle":"support"}""")]
    public async Task What_would_mislead_others_is_refused(string json)
    {
        var (browser, _, _) = await host.SignUpAsync(Password);
        var answer = await (await TokenAsync(browser)).PatchAsync("/v1/account", json);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task Sessions_are_listed_in_words_and_a_revoked_one_ends_with_its_tokens_and_streams()
    {
        var (browser, _, handle) = await host.SignUpAsync(Password);
        var phone = new Browser(_server) { UserAgent = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/156.0.0.0 Mobile Safari/537.36" };
        (await phone.PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"{{Password}}"}""")).Ok();
        var (me, lost) = (await TokenAsync(browser), await TokenAsync(phone));

        var sessions = (await me.GetAsync("/v1/account/sessions")).Ok()["sessions"]!.AsArray();
        Assert.Equal(2, sessions.Count);
        var current = Assert.Single(sessions, static session => (bool?)session!["current"] == true)!;
        var other = Assert.Single(sessions, static session => (bool?)session!["current"] != true)!;
        Assert.Equal(("Firefox on Linux", "Chrome on Android"), ((string?)current["description"], (string?)other["description"]));
        Assert.Equal(phone.Network, (string?)other["network"]);

        using var stream = new RealtimeService.RealtimeServiceClient(_server.Channel).Subscribe(new() { Collection = "notes" }, lost.Metadata);
        using var bound = new CancellationTokenSource(ApiServer.Bound);
        Assert.True(await stream.ResponseStream.MoveNext(bound.Token));
        (await me.DeleteAsync($"/v1/account/sessions/{(string)other["id"]!}")).Ok();
        (await lost.GetAsync("/v1/account")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        SubscribeResponse? last = null;
        while (await stream.ResponseStream.MoveNext(bound.Token))
        {
            last = stream.ResponseStream.Current;
        }

        Assert.Equal(SubscribeResponse.FrameOneofCase.AccessLost, last?.FrameCase);
        Assert.Null((await phone.GetAsync("/auth/session")).Ok()["account"]);
        (await me.GetAsync("/v1/account")).Ok();
    }

    [Fact]
    public async Task Nobody_ends_the_session_of_another_person()
    {
        var (browser, _, _) = await host.SignUpAsync(Password);
        var (other, _, _) = await host.SignUpAsync(Password);
        var id = (string)(await (await TokenAsync(other)).GetAsync("/v1/account/sessions")).Ok()["sessions"]![0]!["id"]!;
        (await (await TokenAsync(browser)).DeleteAsync($"/v1/account/sessions/{id}")).Fails(HttpStatusCode.NotFound, "NOT_FOUND", "SESSION_NOT_FOUND");
        Assert.NotNull((await other.GetAsync("/auth/session")).Ok()["account"]);
    }

    [Fact]
    public async Task The_last_way_in_stays_and_others_can_be_removed()
    {
        using var first = new Authenticator();
        using var second = new Authenticator();
        var browser = host.NewBrowser();
        (await browser.SignUpAsync(first, AccountsHost.NewHandle())).Ok();
        var me = await TokenAsync(browser);
        var id = (string)(await me.GetAsync("/v1/account/passkeys")).Ok()["passkeys"]![0]!["id"]!;
        (await me.DeleteAsync($"/v1/account/passkeys/{id}")).Fails(HttpStatusCode.BadRequest, "FAILED_PRECONDITION", "LAST_CREDENTIAL");

        (await browser.PostAsync("/auth/passkeys/add", second.Create((await browser.PostAsync("/auth/passkeys/add/options")).Ok(), "key"))).Ok();
        var passkeys = (await me.GetAsync("/v1/account/passkeys")).Ok()["passkeys"]!.AsArray();
        Assert.Equal("key", (string?)passkeys[1]!["name"]);
        (await me.PostAsync($"/v1/account/passkeys/{(string)passkeys[1]!["id"]!}:rename", """{"name":"blue key"}""")).Ok();

        // Two at once: one must stay.
        var answers = await Task.WhenAll(passkeys.Select(passkey => me.DeleteAsync($"/v1/account/passkeys/{(string)passkey!["id"]!}")));
        Assert.Single(answers, static answer => answer.Status == HttpStatusCode.OK);
        Assert.Single((await me.GetAsync("/v1/account/passkeys")).Ok()["passkeys"]!.AsArray());
        var gone = answers[0].Status == HttpStatusCode.OK ? first : second;
        (await host.NewBrowser().SignInAsync(gone)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        (await host.NewBrowser().SignInAsync(gone == first ? second : first)).Ok();
    }

    [Fact]
    public async Task What_changes_credentials_needs_a_fresh_sign_in()
    {
        var (browser, did, handle) = await host.SignUpAsync(Password);
        var address = await host.ConfirmAddressAsync(browser);
        using var key = new Authenticator();
        (await browser.PostAsync("/auth/passkeys/add", key.Create((await browser.PostAsync("/auth/passkeys/add/options")).Ok()))).Ok();
        var me = await TokenAsync(browser);
        var passkey = (string)(await me.GetAsync("/v1/account/passkeys")).Ok()["passkeys"]![0]!["id"]!;
        await _server.Database.Owner.ExecuteAsync($"update vibe.sessions set auth_time = now() - interval '11 min' where did = {did}", default);
        foreach (var answer in (ApiAnswer[])[
            await me.SendAsync(HttpMethod.Delete, $"/v1/account?handle={handle}"), await me.GetAsync("/v1/account:export"),
            await me.DeleteAsync($"/v1/account/passkeys/{passkey}"), await me.DeleteAsync($"/v1/account/emailAddresses/{address}"),
            await me.PatchAsync("/v1/account", $$"""{"handle":"{{AccountsHost.NewHandle()}}"}""")])
        {
            answer.Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_REQUIRED");
        }

        // The step-up: a sign-in while signed in.
        (await browser.SignInAsync(key)).Ok();
        (await (await TokenAsync(browser)).DeleteAsync($"/v1/account/emailAddresses/{address}")).Ok();
    }

    [Fact]
    public async Task What_a_person_allows_apps_is_listed_in_the_apps_words_and_taken_back()
    {
        var (browser, did, _) = await host.SignUpAsync(Password);
        var me = await TokenAsync(browser);
        var app = $"did:web:vibe.test:apps:{Guid.NewGuid():N}";
        var manifest = """
            {"displayName":"Photo Book","homepageUri":"https://photos.example/","scopes":[{"name":"documents:photos:read","descriptions":{"en":"Show your photos"}}]}
            """u8.ToArray();
        await _server.Database.Owner.ExecuteAsync($"insert into vibe.apps (did, name, manifest) values ({app}, {AccountsHost.NewHandle()}, {manifest})", default);
        await _server.App.Services.GetRequiredService<Grants>().AllowAsync(did, app, ["openid", "documents:photos:read"], null, default);

        var grant = Assert.Single((await me.GetAsync("/v1/account/grants")).Ok()["grants"]!.AsArray())!;
        Assert.Equal((app, "Photo Book", "photos.example"), ((string?)grant["app"], (string?)grant["displayName"], (string?)grant["host"]));
        var scope = grant["scopes"]!.AsArray().Single(static scope => (string?)scope!["name"] == "documents:photos:read")!;
        Assert.Equal("Show your photos", (string?)scope["descriptions"]!["en"]);

        (await me.DeleteAsync($"/v1/account/grants/{Uri.EscapeDataString(app)}")).Ok();
        Assert.Null((await me.GetAsync("/v1/account/grants")).Ok()["grants"]);
        (await me.DeleteAsync($"/v1/account/grants/{Uri.EscapeDataString(app)}")).Fails(HttpStatusCode.NotFound, "NOT_FOUND", "GRANT_NOT_FOUND");
        var events = (await me.GetAsync("/v1/account/auditEvents")).Ok()["auditEvents"]!.AsArray();
        Assert.Equal(("grant.revoke", app), ((string?)events[0]!["type"], (string?)events[0]!["app"]));
    }

    [Fact]
    public async Task Events_come_in_pages_the_latest_first()
    {
        var (browser, _, _) = await host.SignUpAsync(Password);
        (await browser.PostAsync("/auth/recovery/codes")).Ok();
        var me = await TokenAsync(browser);
        var first = (await me.GetAsync("/v1/account/auditEvents?page_size=2")).Ok();
        var second = (await me.GetAsync($"/v1/account/auditEvents?page_size=2&page_token={(string)first["nextPageToken"]!}")).Ok();
        Assert.Equal(
            ["recovery.renew", "session.create", "account.create"],
            first["auditEvents"]!.AsArray().Concat(second["auditEvents"]!.AsArray()).Select(static entry => (string)entry!["type"]!));
        Assert.Null(second["nextPageToken"]);
    }

    [Fact]
    public async Task Events_of_one_millisecond_keep_their_order()
    {
        var (_, did, _) = await host.SignUpAsync(Password);
        var clock = new SetClock { Now = new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero) };
        var audit = new Audit(_server.Database, clock);
        for (var number = 0; number < 20; number++)
        {
            await audit.WriteAsync(new AuditEvent { Type = $"test.{number}", Did = did }, default);
            clock.Now += TimeSpan.FromMicroseconds(10);
        }

        var types = (await audit.ListAsync(did, null, 20, default)).Select(static row => row.Type);
        Assert.Equal(Enumerable.Range(0, 20).Reverse().Select(static number => $"test.{number}"), types);
    }

    [Fact]
    public async Task An_export_has_everything_of_the_person_and_no_secret()
    {
        using var key = new Authenticator();
        var (browser, did, _) = await host.SignUpAsync(Password);
        var address = await host.ConfirmAddressAsync(browser);
        (await browser.PostAsync("/auth/passkeys/add", key.Create((await browser.PostAsync("/auth/passkeys/add/options")).Ok(), "my key"))).Ok();
        var writer = new ApiUser(_server, did, _server.Sign(did, "documents:*:write"));
        for (var number = 0; number < 3; number++)
        {
            await writer.CreateAsync($$$"""{"collection":"c{{{number}}}","data":{"number":{{{number}}}}}""");
        }

        var answer = await (await TokenAsync(browser)).GetAsync("/v1/account:export");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var lines = answer.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonNode.Parse(line)!.AsObject()).ToList();
        var kinds = lines.Select(static line => line.Single().Key).ToList();
        Assert.Equal(["account", "emailAddress", "passkey", "session"], kinds.Take(4));
        Assert.Equal(3, kinds.Count(static kind => kind == "document"));
        Assert.Contains("event", kinds);
        Assert.Equal((did, address), ((string?)lines[0]["account"]!["did"], (string?)lines[1]["emailAddress"]!["address"]));
        foreach (var secret in (string[])[Password, "PBKDF2", "$", key.CredentialId, browser.Cookies["__Host-vibe-session"]])
        {
            Assert.DoesNotContain(secret, answer.Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_deleted_account_is_gone_with_its_documents_tokens_and_streams()
    {
        using var key = new Authenticator();
        var (browser, did, handle) = await host.SignUpAsync(Password);
        var address = await host.ConfirmAddressAsync(browser);
        (await browser.PostAsync("/auth/passkeys/add", key.Create((await browser.PostAsync("/auth/passkeys/add/options")).Ok()))).Ok();
        var app = new ApiUser(_server, did, _server.Sign(did, "documents:*:write"));
        var id = (string)(await app.CreateAsync("""{"collection":"notes","data":{"a":1},"acl":{"read":{"allow":["*"]}}}"""))["id"]!;
        (await _server.Visitor().GetAsync($"/v1/documents/{id}")).Ok();
        using var stream = new RealtimeService.RealtimeServiceClient(_server.Channel).Subscribe(new() { Collection = "notes" }, app.Metadata);
        using var bound = new CancellationTokenSource(ApiServer.Bound);
        Assert.True(await stream.ResponseStream.MoveNext(bound.Token));
        var me = await TokenAsync(browser);

        (await me.DeleteAsync("/v1/account?handle=someone-else")).Fails(HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "INVALID_ARGUMENT");
        await _server.Database.Owner.ExecuteAsync(
            $"insert into vibe.apps (did, name, owner_did) values ({did + ":app"}, {handle + "-app"}, {did})", default);
        (await me.DeleteAsync($"/v1/account?handle={handle}")).Fails(HttpStatusCode.BadRequest, "FAILED_PRECONDITION", "ACCOUNT_OWNS_APPS");
        await _server.Database.Owner.ExecuteAsync($"update vibe.apps set delete_time = now() where owner_did = {did}", default);
        (await me.DeleteAsync($"/v1/account?handle={handle}")).Ok();

        (await me.GetAsync("/v1/account")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        (await app.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        while (await stream.ResponseStream.MoveNext(bound.Token))
        {
            // Its last words.
        }

        Assert.Null((await browser.GetAsync("/auth/session")).Ok()["account"]);
        (await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"{{Password}}"}"""))
            .Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        (await host.NewBrowser().SignInAsync(key)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        (await host.NewBrowser().PostAsync("/auth/password/sign-up", $$"""{"handle":"{{handle}}","password":"{{Password}}"}"""))
            .Fails(HttpStatusCode.Conflict, "ALREADY_EXISTS", "HANDLE_TAKEN");
        await ApiServer.EventuallyAsync(async () => (await _server.Visitor().GetAsync($"/v1/documents/{id}")).Status == HttpStatusCode.NotFound);
        await ApiServer.EventuallyAsync(async () => await _server.Database.Owner.QueryFirstAsync(
            $"select erase_time is not null from vibe.accounts where did = {did}", static row => row.GetBoolean(0), default));
        Assert.Equal(0, await LeftAsync(did, address));
    }

    private async Task<int> LeftAsync(string did, string address) => await _server.Database.Owner.QueryFirstAsync(
        $"""
        select (select count(*) from vibe.passkeys where did = {did}) + (select count(*) from vibe.email_addresses where did = {did})
          + (select count(*) from vibe.mail_links where did = {did} or address = {address}) + (select count(*) from vibe.recovery_codes where did = {did})
          + (select count(*) from vibe.grants where did = {did}) + (select count(*) from vibe.sessions where did = {did} and (revoke_time is null or network <> ''))
          + (select count(*) from vibe.audit_events where did = {did} and type <> 'account.delete')
          + (select count(*) from vibe.documents where owner_did = {did} and (delete_time is null or data::text <> {"{}"}))
        """,
        static row => (int)row.GetInt64(0), default);

    private async Task<ApiUser> TokenAsync(Browser browser) =>
        new(_server, "", (string)(await browser.PostAsync("/auth/account-token")).Ok()["accessToken"]!);

    private sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
