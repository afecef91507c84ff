using System.Net;
using Microsoft.Extensions.Configuration;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>A sign-in whose every step comes to another node, and nodes that are asked too much.</summary>
[Collection(PostgresCollection.Name)]
public sealed class NodesTests(EmbeddedClusterFixture cluster)
{
    [Fact]
    public async Task Any_node_serves_any_step()
    {
        var (database, master) = (await cluster.CreateEmptyDatabaseAsync(), ApiServer.NewMasterKey());
        await using var first = await ApiServer.StartAsync(database, masterKey: master);
        await using var second = await ApiServer.StartAsync(database, masterKey: master);
        var app = await TestApp.CreateAsync(first);
        var (here, there) = (await Person.CreateAsync(first), await Person.CreateSignedOutAsync(second));
        foreach (var (name, value) in here.Browser.Cookies)
        {
            there.Browser.Cookies[name] = value;
        }

        var consent = Person.Location(await here.AuthorizeAsync(app))!;
        foreach (var (name, value) in here.Browser.Cookies)
        {
            there.Browser.Cookies[name] = value;
        }

        var id = consent["/consent?request=".Length..];
        (await there.Browser.GetAsync($"/auth/requests/{id}")).Ok();
        var next = (string)(await here.Browser.PostAsync($"/auth/requests/{id}:decide", """{"allow":true}""")).Ok()["redirectUri"]!;
        var code = Person.Told(await there.Browser.GetAsync(next))["code"];
        var tokens = (await app.RedeemAsync(code, Person.Verifier)).Ok();
        var elsewhere = app.At(second);
        var refreshed = (await elsewhere.RefreshAsync((string)tokens["refresh_token"]!)).Ok();
        (await app.UserInfoAsync((string)refreshed["access_token"]!)).Ok();

        // Used on one node, used on the other.
        Assert.Equal("invalid_grant", (string?)(await app.RefreshAsync((string)tokens["refresh_token"]!)).Json["error"]);
        Assert.Equal("invalid_grant", (string?)(await elsewhere.RefreshAsync((string)refreshed["refresh_token"]!)).Json["error"]);
        Assert.Equal(HttpStatusCode.Unauthorized, (await elsewhere.UserInfoAsync((string)refreshed["access_token"]!)).Status);
    }

    [Fact]
    public async Task A_network_that_asks_too_much_waits()
    {
        await using var server = await ApiServer.StartAsync(await cluster.CreateEmptyDatabaseAsync(), static builder =>
            builder.Configuration.AddInMemoryCollection([new("Vibe:Limits:SignedOutUnitsPerSecond", "1")]));
        var app = await TestApp.CreateAsync(server);
        var person = await Person.CreateAsync(server);
        ApiAnswer answer;
        do
        {
            answer = await app.PostAsync("/oauth/token", ("grant_type", "refresh_token"), ("refresh_token", "guess"));
        }
        while (answer.Status == HttpStatusCode.BadRequest);

        Assert.Equal((HttpStatusCode.TooManyRequests, "slow_down"), (answer.Status, (string?)answer.Json["error"]));
        Assert.Contains("retry-after: 1", answer.Headers);

        // Both take from what the network has, which fills up again while this waits for its turn.
        await ApiServer.EventuallyAsync(async () =>
        {
            await app.PostAsync("/oauth/token", ("grant_type", "refresh_token"), ("refresh_token", "guess"));
            return (await person.AuthorizeAsync(app)).Status == HttpStatusCode.TooManyRequests;
        });
    }
}
