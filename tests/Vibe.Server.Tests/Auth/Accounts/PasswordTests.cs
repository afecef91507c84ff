using System.Net;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>Passwords: what is accepted, what is told, and how often one may try.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PasswordTests(AccountsHost host) : IClassFixture<AccountsHost>
{
    private const string Password = "correct horse battery";

    [Fact]
    public async Task A_person_signs_in_by_handle_or_address()
    {
        var (browser, did, handle) = await host.SignUpAsync(Password);
        var address = await host.ConfirmAddressAsync(browser);
        foreach (var identifier in (string[])[handle, $"@{handle.ToUpperInvariant()} ", address, address.ToUpperInvariant()])
        {
            var answer = await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{identifier}}","password":"{{Password}}"}""");
            Assert.Equal(did, (string?)answer.Ok()["account"]!["did"]);
        }
    }

    [Theory]
    [InlineData("short")]
    [InlineData("aaaaaaaaaaaaaaaaaa")]
    [InlineData("password1234")]
    [InlineData("some-name-some-name")]
    public async Task A_password_that_is_easy_to_guess_is_refused(string password)
    {
        var answer = await host.NewBrowser().PostAsync("/auth/password/sign-up", $$"""{"handle":"some-name","password":"{{password}}"}""");
        answer.Fails(HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "INVALID_ARGUMENT");
        Assert.DoesNotContain(password, answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a--b")]
    [InlineData("xn--80ak6aa92e")]
    [InlineData("a b")]
    [InlineData("аlice")]
    [InlineData("a.b")]
    [InlineData("")]
    [InlineData("a234567890123456789012345678901234567890123456789012345678901234")]
    [InlineData("admin")]
    [InlineData("Vibe-Supp0rt")]
    [InlineData("r00t")]
    public async Task A_handle_of_another_form_or_a_reserved_word_is_refused(string handle) =>
        (await host.NewBrowser().PostAsync("/auth/password/sign-up", $$"""{"handle":"{{handle}}","password":"{{Password}}"}"""))
            .Fails(HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "INVALID_ARGUMENT");

    [Fact]
    public async Task Known_and_unknown_names_fail_alike()
    {
        var (_, _, handle) = await host.SignUpAsync(Password);
        using var key = new Authenticator();
        var keyed = AccountsHost.NewHandle();
        (await host.NewBrowser().SignUpAsync(key, keyed)).Ok();

        var answers = new List<(string Body, string Headers)>();
        foreach (var name in (string[])[handle, keyed, "nobody-at-all", "nobody@mail.example", "\\u0000", new string('x', 5000)])
        {
            var answer = await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{name}}","password":"not the password"}""");
            answer.Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
            answers.Add((answer.Body, string.Join('\n', answer.Headers.Where(static header => !header.StartsWith("date:", StringComparison.Ordinal)))));
        }

        Assert.Single(answers.Distinct());
    }

    [Fact]
    public async Task Known_and_unknown_names_take_alike()
    {
        var (_, _, handle) = await host.SignUpAsync(Password);
        var known = new List<TimeSpan>();
        var unknown = new List<TimeSpan>();
        for (var round = 0; round < 9; round++)
        {
            known.Add(await TimeAsync(handle));
            unknown.Add(await TimeAsync($"nobody-{round}"));
        }

        // A hash costs about 0.1 s, all else a few milliseconds: without the dummy the medians are more than ten times apart.
        var (a, b) = (known.Order().ElementAt(4), unknown.Order().ElementAt(4));
        Assert.InRange(b / a, 1 / 5.0, 5.0);

        async Task<TimeSpan> TimeAsync(string name)
        {
            var start = TimeProvider.System.GetTimestamp();
            (await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{name}}","password":"not the password"}"""))
                .Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
            return TimeProvider.System.GetElapsedTime(start);
        }
    }

    [Fact]
    public async Task Guessing_at_an_account_from_many_networks_ends_and_its_passkey_still_signs_in()
    {
        var (browser, did, handle) = await host.SignUpAsync(Password);
        using var key = new Authenticator();
        (await browser.PostAsync("/auth/passkeys/add", key.Create((await browser.PostAsync("/auth/passkeys/add/options")).Ok()))).Ok();
        ApiAnswer answer;
        var tries = 0;
        do
        {
            answer = await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"guess number {{tries}}"}""");
        }
        while (answer.Status == HttpStatusCode.Unauthorized && ++tries < 20);

        Assert.InRange(tries, 5, 12);
        answer.Fails(HttpStatusCode.TooManyRequests, "RESOURCE_EXHAUSTED", "RATE_LIMITED");
        Assert.Contains(answer.Headers, static header => header.StartsWith("retry-after: ", StringComparison.Ordinal));
        Assert.Equal(did, (string?)(await host.NewBrowser().SignInAsync(key)).Ok()["account"]!["did"]);
    }

    [Fact]
    public async Task Trying_many_names_from_one_network_ends_and_others_go_on()
    {
        var (_, _, handle) = await host.SignUpAsync(Password);
        var sprayer = host.NewBrowser();
        ApiAnswer answer;
        var tries = 0;
        do
        {
            answer = await sprayer.PostAsync("/auth/password/sign-in", $$"""{"identifier":"sprayed-{{tries}}","password":"Spring 2026!"}""");
        }
        while (answer.Status == HttpStatusCode.Unauthorized && ++tries < 60);

        answer.Fails(HttpStatusCode.TooManyRequests, "RESOURCE_EXHAUSTED", "RATE_LIMITED");
        (await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"{{Password}}"}""")).Ok();
    }

    [Fact]
    public async Task Another_password_signs_out_other_browsers()
    {
        var (browser, _, handle) = await host.SignUpAsync(Password);
        var other = host.NewBrowser();
        (await other.PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"{{Password}}"}""")).Ok();
        (await browser.PostAsync("/auth/password/change", """{"currentPassword":"wrong password","newPassword":"another horse battery"}"""))
            .Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        (await browser.PostAsync("/auth/password/change", $$"""{"currentPassword":"{{Password}}","newPassword":"another horse battery"}""")).Ok();
        Assert.Null((await other.GetAsync("/auth/session")).Ok()["account"]);
        Assert.NotNull((await browser.GetAsync("/auth/session")).Ok()["account"]);
        (await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"{{Password}}"}"""))
            .Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        (await host.NewBrowser().PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{handle}}","password":"another horse battery"}""")).Ok();
    }
}
