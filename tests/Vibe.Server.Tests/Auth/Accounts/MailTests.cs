using System.Net;
using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>Links sent by mail.</summary>
[Collection(PostgresCollection.Name)]
public sealed class MailTests(AccountsHost host) : IClassFixture<AccountsHost>
{
    [Fact]
    public async Task A_link_signs_in_once_in_the_browser_that_asked()
    {
        var (owner, did, handle) = await host.SignUpAsync();
        var address = await host.ConfirmAddressAsync(owner);
        var browser = host.NewBrowser();
        (await browser.PostAsync("/auth/mail/sign-in", $$"""{"identifier":"{{handle}}","requestId":"r1"}""")).Ok();
        var json = $$"""{"secret":"{{await host.SecretAsync(address)}}"}""";

        var other = host.NewBrowser();
        (await other.PostAsync("/auth/mail/confirm", json)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
        (await other.PostAsync("/auth/passkeys/sign-in/options")).Ok();
        (await other.PostAsync("/auth/mail/confirm", json)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");

        var answer = (await browser.PostAsync("/auth/mail/confirm", json)).Ok();
        Assert.Equal((did, "r1"), ((string?)answer["account"]!["did"], (string?)answer["requestId"]));
        Assert.Equal(["mail"], (await browser.GetAsync("/auth/session")).Ok()["methods"]!.AsArray().Select(static method => (string)method!));
        (await browser.PostAsync("/auth/mail/confirm", json)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
    }

    [Fact]
    public async Task A_link_that_is_too_old_signs_nobody_in()
    {
        var (owner, did, _) = await host.SignUpAsync();
        var address = await host.ConfirmAddressAsync(owner);
        var browser = host.NewBrowser();
        (await browser.PostAsync("/auth/mail/sign-in", $$"""{"identifier":"{{address}}"}""")).Ok();
        var secret = await host.SecretAsync(address);
        await host.Server.Database.Owner.ExecuteAsync($"update vibe.mail_links set expire_time = now() where did = {did}", default);
        (await browser.PostAsync("/auth/mail/confirm", $$"""{"secret":"{{secret}}"}""")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
    }

    [Fact]
    public async Task Known_and_unknown_addresses_answer_alike_and_only_the_known_gets_mail()
    {
        var (owner, _, _) = await host.SignUpAsync();
        var address = await host.ConfirmAddressAsync(owner);
        var known = await host.NewBrowser().PostAsync("/auth/mail/sign-in", $$"""{"identifier":"{{address}}"}""");
        var unknown = await host.NewBrowser().PostAsync("/auth/mail/sign-in", """{"identifier":"unknown@mail.example"}""");
        Assert.Equal((known.Status, known.Body), (unknown.Status, unknown.Body));
        await host.SecretAsync(address);
        Assert.False(host.HasMail("unknown@mail.example"));
    }

    [Fact]
    public async Task Mail_to_one_address_is_sent_so_often_and_no_more_whoever_asks()
    {
        var answers = new List<HttpStatusCode>();
        for (var round = 0; round < 5; round++)
        {
            answers.Add((await host.NewBrowser().PostAsync("/auth/mail/sign-in", """{"identifier":"flooded@mail.example"}""")).Status);
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests], answers);
    }

    [Fact]
    public async Task An_address_belongs_to_one_account()
    {
        var (first, _, _) = await host.SignUpAsync();
        var address = await host.ConfirmAddressAsync(first);
        var (second, _, _) = await host.SignUpAsync();
        (await second.PostAsync("/auth/mail/add", $$"""{"address":"{{address}}"}""")).Ok();
        (await second.PostAsync("/auth/mail/confirm", $$"""{"secret":"{{await host.SecretAsync(address)}}"}"""))
            .Fails(HttpStatusCode.Conflict, "ALREADY_EXISTS", "ADDRESS_TAKEN");
    }

    [Fact]
    public async Task Confirming_an_address_takes_the_person_who_added_it()
    {
        var (browser, _, _) = await host.SignUpAsync();
        var address = $"{AccountsHost.NewHandle()}@mail.example";
        (await browser.PostAsync("/auth/mail/add", $$"""{"address":"{{address}}"}""")).Ok();
        var secret = await host.SecretAsync(address);
        (await browser.PostAsync("/auth/sign-out")).Ok();
        (await browser.PostAsync("/auth/mail/confirm", $$"""{"secret":"{{secret}}"}""")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_FAILED");
    }

    [Theory]
    [InlineData("no address")]
    [InlineData("a@b,c@d")]
    [InlineData("Some One <a@b.example>")]
    [InlineData("a@b.example\\r\\nBcc: c@d.example")]
    public async Task Only_one_plain_address_is_taken(string address)
    {
        var (browser, _, _) = await host.SignUpAsync();
        (await browser.PostAsync("/auth/mail/add", $$"""{"address":"{{address}}"}""")).Fails(HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "INVALID_ARGUMENT");
    }
}
