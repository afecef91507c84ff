using System.Net;
using System.Text.Json.Nodes;
using Vibe.Apps.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>Devices whose code a person types elsewhere (RFC 8628), and who tries to trick them.</summary>
[Collection(PostgresCollection.Name)]
public sealed class DeviceTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task A_device_gets_tokens_when_somebody_allows_it()
    {
        var (app, person) = (await TestApp.CreateAsync(_server, ClientType.Native), await Person.CreateAsync(_server));
        var device = await StartAsync(app);
        Assert.Equal("authorization_pending", Error(await PollAsync(app, device)));

        // What the person sees: which app, where the device is, and since when. However they type the code.
        var typed = ((string)device["user_code"]!).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
        var shown = (await person.Browser.GetAsync($"/auth/devices/{typed}")).Ok();
        Assert.Equal((app.Did, "127.0.0.1"), ((string?)shown["app"]!["did"], (string?)shown["network"]));
        Assert.NotNull(shown["createTime"]);
        (await person.Browser.PostAsync($"/auth/devices/{typed}:decide", """{"allow":true}""")).Ok();

        host.Time.Pass(TimeSpan.FromSeconds(6));
        var tokens = (await PollAsync(app, device)).Ok();
        Assert.Equal(person.Did, (string?)Person.Claims((string)tokens["id_token"]!)["sub"]);
        (await app.RefreshAsync((string)tokens["refresh_token"]!)).Ok();

        // Once.
        Assert.Equal("invalid_grant", Error(await PollAsync(app, device)));
    }

    [Fact]
    public async Task Nothing_in_the_answer_takes_the_typing_from_the_person() =>
        Assert.Null((await StartAsync(await TestApp.CreateAsync(_server, ClientType.Native)))["verification_uri_complete"]);

    [Fact]
    public async Task A_refused_device_is_told_so()
    {
        var (app, person) = (await TestApp.CreateAsync(_server, ClientType.Native), await Person.CreateAsync(_server));
        var device = await StartAsync(app);
        (await person.Browser.PostAsync($"/auth/devices/{device["user_code"]}:decide", """{"allow":false}""")).Ok();
        Assert.Equal("access_denied", Error(await PollAsync(app, device)));
        (await person.Browser.PostAsync($"/auth/devices/{device["user_code"]}:decide", """{"allow":true}"""))
            .Fails(HttpStatusCode.NotFound, "NOT_FOUND", "AUTHORIZATION_REQUEST_NOT_FOUND");
    }

    [Fact]
    public async Task A_device_that_asks_too_often_waits_longer_and_a_code_ends_after_ten_minutes()
    {
        var (app, person) = (await TestApp.CreateAsync(_server, ClientType.Native), await Person.CreateAsync(_server));
        var device = await StartAsync(app);
        Assert.Equal("authorization_pending", Error(await PollAsync(app, device)));
        Assert.Equal("slow_down", Error(await PollAsync(app, device)));
        host.Time.Pass(TimeSpan.FromSeconds(6));
        Assert.Equal("slow_down", Error(await PollAsync(app, device)));
        host.Time.Pass(TimeSpan.FromSeconds(16));
        Assert.Equal("authorization_pending", Error(await PollAsync(app, device)));

        host.Time.Pass(TimeSpan.FromMinutes(10));
        Assert.Equal("expired_token", Error(await PollAsync(app, device)));
        (await person.Browser.GetAsync($"/auth/devices/{device["user_code"]}")).Fails(HttpStatusCode.NotFound, "NOT_FOUND", "AUTHORIZATION_REQUEST_NOT_FOUND");
    }

    [Fact]
    public async Task Codes_are_not_guessed()
    {
        var person = await Person.CreateAsync(_server);
        for (var attempt = 0; attempt < 5; attempt++)
        {
            (await person.Browser.GetAsync($"/auth/devices/BBBB-BBB{attempt}")).Fails(HttpStatusCode.NotFound, "NOT_FOUND", "AUTHORIZATION_REQUEST_NOT_FOUND");
        }

        (await person.Browser.GetAsync("/auth/devices/BBBB-BBBB")).Fails(HttpStatusCode.TooManyRequests, "RESOURCE_EXHAUSTED", "RATE_LIMITED");
    }

    [Fact]
    public async Task Only_somebody_who_is_signed_in_sees_or_answers_a_device()
    {
        var (app, person) = (await TestApp.CreateAsync(_server, ClientType.Native), await Person.CreateSignedOutAsync(_server));
        var path = $"/auth/devices/{(await StartAsync(app))["user_code"]}";
        (await person.Browser.GetAsync(path)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_REQUIRED");
        (await person.Browser.PostAsync($"{path}:decide", """{"allow":true}""")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "SIGN_IN_REQUIRED");
    }

    [Fact]
    public async Task A_device_code_is_its_apps_alone()
    {
        var (app, other) = (await TestApp.CreateAsync(_server, ClientType.Native), await TestApp.CreateAsync(_server, ClientType.Native));
        Assert.Equal("invalid_grant", Error(await PollAsync(other, await StartAsync(app))));
    }

    private static async Task<JsonNode> StartAsync(TestApp app) => (await app.PostAsync("/oauth/device_authorization", ("scope", TestApp.Scope))).Ok();

    private static Task<ApiAnswer> PollAsync(TestApp app, JsonNode device) =>
        app.PostAsync("/oauth/token", ("grant_type", TokenGrants.DeviceType), ("device_code", (string)device["device_code"]!));

    private static string? Error(ApiAnswer answer) => (string?)answer.Json["error"];
}
