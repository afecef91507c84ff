using System.Net;
using System.Text.Json.Nodes;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>Signing up and in with passkeys, and what must not pass for one.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PasskeyTests(AccountsHost host) : IClassFixture<AccountsHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task A_person_signs_up_and_in_again_with_a_passkey_and_no_name_typed()
    {
        using var authenticator = new Authenticator { IsSynced = true };
        var (browser, handle) = (host.NewBrowser(), AccountsHost.NewHandle());
        var account = (await browser.SignUpAsync(authenticator, handle)).Ok()["account"]!;
        Assert.Equal((handle, "Some One"), ((string?)account["handle"], (string?)account["displayName"]));

        var other = host.NewBrowser();
        var again = (await other.SignInAsync(authenticator)).Ok()["account"]!;
        Assert.Equal((string?)account["did"], (string?)again["did"]);
        var session = (await other.GetAsync("/auth/session")).Ok();
        Assert.Equal(["swk", "user", "mfa"], session["methods"]!.AsArray().Select(static method => (string)method!));
    }

    [Fact]
    public async Task Options_ask_for_a_passkey_that_is_found_without_a_name_and_verifies_the_person()
    {
        var browser = host.NewBrowser();
        var create = (await browser.PostAsync("/auth/passkeys/sign-up/options", $$"""{"handle":"{{AccountsHost.NewHandle()}}"}""")).Ok()["options"]!;
        Assert.Equal("vibe.localhost", (string?)create["rp"]!["id"]);
        Assert.Equal("required", (string?)create["authenticatorSelection"]!["userVerification"]);
        Assert.Equal("required", (string?)create["authenticatorSelection"]!["residentKey"]);
        var get = (await browser.PostAsync("/auth/passkeys/sign-in/options")).Ok()["options"]!;
        Assert.Equal(("vibe.localhost", "required"), ((string?)get["rpId"], (string?)get["userVerification"]));
        Assert.True(get["allowCredentials"] is null or JsonArray { Count: 0 });
    }

    [Fact]
    public async Task The_user_handle_is_the_bare_uuid_of_the_did()
    {
        using var authenticator = new Authenticator();
        var did = (string)(await host.NewBrowser().SignUpAsync(authenticator, AccountsHost.NewHandle())).Ok()["account"]!["did"]!;
        Assert.Equal(did[^32..], System.Text.Encoding.ASCII.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(authenticator.UserHandle)));
    }

    private static readonly Dictionary<string, Action<Authenticator>> Wrongs = new()
    {
        ["another site's page"] = static key => key.Origin = "https://evil.example",
        ["another port of the host"] = static key => key.Origin = "http://vibe.localhost:1",
        ["a sub-domain"] = static key => key.Origin = "http://x.vibe.localhost:0",
        ["a frame in another page"] = static key => key.IsCrossOrigin = true,
        ["another relying party"] = static key => key.RelyingParty = "evil.example",
        ["another challenge"] = static key => key.Challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ["nobody was verified"] = static key => key.Verifies = false,
        ["the counter went back"] = static key => key.Counter = 0,
        ["somebody else's account"] = static key => key.UserHandle = "MDE5MGEwMDAwMDAwNzAwMDgwMDAwMDAwMDAwMDAwMDA",
    };

    public static TheoryData<string> WrongThings => [.. Wrongs.Keys];

    [Theory]
    [MemberData(nameof(WrongThings))]
    public async Task An_assertion_with_something_wrong_signs_nobody_in(string what)
    {
        using var authenticator = new Authenticator { Counter = 5 };
        (await host.NewBrowser().SignUpAsync(authenticator, AccountsHost.NewHandle())).Ok();
        var browser = host.NewBrowser();
        (await browser.SignInAsync(authenticator)).Ok();

        var thief = host.NewBrowser();
        Wrongs[what](authenticator);
        var answer = await thief.SignInAsync(authenticator);
        answer.Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        Assert.False(thief.Cookies.ContainsKey("__Host-vibe-session"));
    }

    [Theory]
    [InlineData("origin")]
    [InlineData("relying party")]
    [InlineData("challenge")]
    [InlineData("verification")]
    public async Task An_attestation_with_something_wrong_makes_no_account(string what)
    {
        using var authenticator = new Authenticator();
        switch (what)
        {
            case "origin":
                authenticator.Origin = "https://evil.example";
                break;
            case "relying party":
                authenticator.RelyingParty = "evil.example";
                break;
            case "challenge":
                authenticator.Challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
                break;
            default:
                authenticator.Verifies = false;
                break;
        }

        var handle = AccountsHost.NewHandle();
        (await host.NewBrowser().SignUpAsync(authenticator, handle)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        var free = (await host.NewBrowser().PostAsync("/auth/handle", $$"""{"handle":"{{handle}}"}""")).Ok();
        Assert.True((bool)free["available"]!);
    }

    [Fact]
    public async Task An_assertion_works_once_and_with_its_own_challenge_and_browser_only()
    {
        using var authenticator = new Authenticator();
        (await host.NewBrowser().SignUpAsync(authenticator, AccountsHost.NewHandle())).Ok();
        var browser = host.NewBrowser();
        var started = (await browser.PostAsync("/auth/passkeys/sign-in/options")).Ok();
        var answer = authenticator.Get(started);

        // Login CSRF: the attacker's challenge and answer in the victim's browser.
        var victim = host.NewBrowser();
        var own = (await victim.PostAsync("/auth/passkeys/sign-in/options")).Ok();
        (await victim.PostAsync("/auth/passkeys/sign-in", answer)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");

        (await browser.PostAsync("/auth/passkeys/sign-in", answer)).Ok();
        (await browser.PostAsync("/auth/passkeys/sign-in", answer)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        var relabelled = JsonNode.Parse(answer)!;
        relabelled["challengeId"] = (string)own["challengeId"]!;
        (await victim.PostAsync("/auth/passkeys/sign-in", relabelled.ToJsonString())).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
    }

    [Fact]
    public async Task A_challenge_that_waited_too_long_is_gone()
    {
        using var authenticator = new Authenticator();
        (await host.NewBrowser().SignUpAsync(authenticator, AccountsHost.NewHandle())).Ok();
        var browser = host.NewBrowser();
        var started = (await browser.PostAsync("/auth/passkeys/sign-in/options")).Ok();
        var id = Guid.Parse((string)started["challengeId"]!);
        await _server.Database.Owner.ExecuteAsync($"update vibe.challenges set expire_time = now() - interval '1 s' where id = {id}", default);
        (await browser.PostAsync("/auth/passkeys/sign-in", authenticator.Get(started))).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
    }

    [Fact]
    public async Task A_challenge_to_sign_up_is_none_to_sign_in()
    {
        using var authenticator = new Authenticator();
        (await host.NewBrowser().SignUpAsync(authenticator, AccountsHost.NewHandle())).Ok();
        var browser = host.NewBrowser();
        var started = (await browser.PostAsync("/auth/passkeys/sign-up/options", $$"""{"handle":"{{AccountsHost.NewHandle()}}"}""")).Ok();
        (await browser.PostAsync("/auth/passkeys/sign-in", authenticator.Get(started))).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
    }

    [Fact]
    public async Task One_of_two_people_who_want_the_same_handle_gets_it()
    {
        var handle = AccountsHost.NewHandle();
        using var one = new Authenticator();
        using var two = new Authenticator();
        var (first, second) = (host.NewBrowser(), host.NewBrowser());
        var json = $$"""{"handle":"{{handle}}"}""";
        var (a, b) = ((await first.PostAsync("/auth/passkeys/sign-up/options", json)).Ok(), (await second.PostAsync("/auth/passkeys/sign-up/options", json)).Ok());
        var answers = await Task.WhenAll(first.PostAsync("/auth/passkeys/sign-up", one.Create(a)), second.PostAsync("/auth/passkeys/sign-up", two.Create(b)));
        Assert.Single(answers, static answer => answer.Status == HttpStatusCode.OK);
        answers.Single(static answer => answer.Status != HttpStatusCode.OK).Fails(HttpStatusCode.Conflict, "ALREADY_EXISTS", "HANDLE_TAKEN");
    }

    [Fact]
    public async Task Another_passkey_is_added_after_a_fresh_sign_in()
    {
        var (browser, did, _) = await host.SignUpAsync();
        using var authenticator = new Authenticator();
        var started = (await browser.PostAsync("/auth/passkeys/add/options")).Ok();
        (await browser.PostAsync("/auth/passkeys/add", authenticator.Create(started, "my phone"))).Ok();
        Assert.Equal(did, (string?)(await host.NewBrowser().SignInAsync(authenticator)).Ok()["account"]!["did"]);

        await _server.Database.Owner.ExecuteAsync($"update vibe.sessions set auth_time = now() - interval '11 min' where did = {did}", default);
        (await browser.PostAsync("/auth/passkeys/add/options")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_REQUIRED");
    }

    [Fact]
    public async Task A_mail_link_alone_adds_a_passkey_that_waits_a_day_and_tells_the_owner()
    {
        var (browser, did, _) = await host.SignUpAsync();
        var address = await host.ConfirmAddressAsync(browser);
        var thief = host.NewBrowser();
        (await thief.PostAsync("/auth/mail/sign-in", $$"""{"identifier":"{{address}}"}""")).Ok();
        (await thief.PostAsync("/auth/mail/confirm", $$"""{"secret":"{{await host.SecretAsync(address)}}"}""")).Ok();
        using var authenticator = new Authenticator();
        var started = (await thief.PostAsync("/auth/passkeys/add/options")).Ok();
        var added = (await thief.PostAsync("/auth/passkeys/add", authenticator.Create(started))).Ok();
        Assert.InRange((DateTimeOffset)added["activeTime"]! - TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(23), TimeSpan.FromHours(24));
        Assert.Contains("passkey", await host.MailAsync(address, "passkey"), StringComparison.Ordinal);

        (await host.NewBrowser().SignInAsync(authenticator)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        (await thief.PostAsync("/auth/recovery/codes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_REQUIRED");
        (await thief.PostAsync("/auth/mail/add", """{"address":"thief@mail.example"}""")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_REQUIRED");
        (await thief.PostAsync("/auth/password/change", """{"newPassword":"taken over by a thief"}""")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_REQUIRED");

        await _server.Database.Owner.ExecuteAsync($"update vibe.passkeys set active_time = now() where did = {did}", default);
        (await host.NewBrowser().SignInAsync(authenticator)).Ok();
    }

    [Fact]
    public async Task A_recovery_code_lets_a_passkey_be_added_at_once()
    {
        var (browser, did, handle) = await host.SignUpAsync();
        var codes = (await browser.PostAsync("/auth/recovery/codes")).Ok()["codes"]!.AsArray().Select(static code => (string)code!).ToList();
        Assert.Equal(10, codes.Distinct().Count());
        var later = host.NewBrowser();
        var typed = codes[3].Replace("-", " ", StringComparison.Ordinal).ToUpperInvariant();
        (await later.PostAsync("/auth/recovery/sign-in", $$"""{"identifier":"@{{handle}}","code":"{{typed}}"}""")).Ok();
        using var authenticator = new Authenticator();
        (await later.PostAsync("/auth/passkeys/add", authenticator.Create((await later.PostAsync("/auth/passkeys/add/options")).Ok()))).Ok();
        Assert.Equal(did, (string?)(await host.NewBrowser().SignInAsync(authenticator)).Ok()["account"]!["did"]);

        (await host.NewBrowser().PostAsync("/auth/recovery/sign-in", $$"""{"identifier":"{{handle}}","code":"{{codes[3]}}"}"""))
            .Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        (await browser.PostAsync("/auth/recovery/codes")).Ok();
        (await host.NewBrowser().PostAsync("/auth/recovery/sign-in", $$"""{"identifier":"{{handle}}","code":"{{codes[4]}}"}"""))
            .Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
    }
}
