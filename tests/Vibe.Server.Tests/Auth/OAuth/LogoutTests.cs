using System.Net;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>Signing out from an app: the module RP-initiated logout of the OpenID conformance list.</summary>
[Collection(PostgresCollection.Name)]
public sealed class LogoutTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private const string Bye = "https://app.example/bye";

    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task Who_is_meant_by_an_ID_token_is_signed_out_and_sent_back()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var hint = (string)(await person.TokensAsync(app))["id_token"]!;
        var answer = await person.Browser.GetAsync($"/oauth/logout?id_token_hint={hint}&post_logout_redirect_uri={Bye}&state=x%26y");
        Assert.Equal((HttpStatusCode.SeeOther, $"{Bye}?state=x%26y"), (answer.Status, Person.Location(answer)));
        Assert.Contains("set-login: logged-out", answer.Headers);
        Assert.Equal("login_required", Person.Told(await person.AuthorizeAsync(app, ("prompt", "none")))["error"]);
    }

    [Fact]
    public async Task Without_a_token_the_person_is_asked()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        await person.AllowAsync(app);
        var asked = await person.Browser.GetAsync($"/oauth/logout?client_id={app.Did}&post_logout_redirect_uri={Bye}");
        Assert.Equal(HttpStatusCode.OK, asked.Status);
        Assert.Contains("<button", asked.Body, StringComparison.Ordinal);
        Assert.NotEmpty(Person.Told(await person.AuthorizeAsync(app, ("prompt", "none")))["code"]);

        // Pressed by another site's script: asked again. Pressed by the person: gone.
        var form = $"client_id={Uri.EscapeDataString(app.Did)}&post_logout_redirect_uri={Uri.EscapeDataString(Bye)}&confirmed=yes";
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(person, form, "https://evil.example")).Status);
        Assert.Equal(Bye, Person.Location(await PostAsync(person, form, ApiServer.Issuer)));
        Assert.Equal("login_required", Person.Told(await person.AuthorizeAsync(app, ("prompt", "none")))["error"]);
    }

    [Theory]
    [InlineData("https://app.example/bye?more=1")]
    [InlineData("https://app.example/")]
    [InlineData("https://evil.example/bye")]
    [InlineData("//evil.example")]
    [InlineData("javascript:alert(1)")]
    public async Task Nobody_is_sent_to_an_address_that_is_not_registered(string address)
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var hint = (string)(await person.TokensAsync(app))["id_token"]!;
        var answer = await person.Browser.GetAsync($"/oauth/logout?id_token_hint={hint}&post_logout_redirect_uri={Uri.EscapeDataString(address)}");
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Null(Person.Location(answer));
        Assert.Equal(HttpStatusCode.BadRequest, (await person.Browser.GetAsync($"/oauth/logout?post_logout_redirect_uri={Bye}")).Status);
    }

    [Fact]
    public async Task A_forged_hint_or_another_persons_signs_nobody_out()
    {
        var (app, person, other) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server), await Person.CreateAsync(_server));
        var hint = (string)(await other.TokensAsync(app))["id_token"]!;
        await person.AllowAsync(app);
        Assert.Contains("<button", (await person.Browser.GetAsync($"/oauth/logout?id_token_hint={hint}")).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await person.Browser.GetAsync($"/oauth/logout?id_token_hint={hint[..^4]}AAAA")).Status);
        Assert.NotEmpty(Person.Told(await person.AuthorizeAsync(app, ("prompt", "none")))["code"]);
    }

    private static Task<ApiAnswer> PostAsync(Person person, string form, string origin) =>
        person.Browser.SendAsync(HttpMethod.Post, "/oauth/logout", form, origin, "application/x-www-form-urlencoded");
}
