using Microsoft.Extensions.Logging;
using Vibe.Apps.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>Whatever the level: nothing that proves something is ever logged.</summary>
[Collection(PostgresCollection.Name)]
public sealed class SecretsInLogsTests(EmbeddedClusterFixture cluster)
{
    [Fact]
    public async Task No_code_verifier_token_or_secret_reaches_the_log_at_trace()
    {
        await using var server = await ApiServer.StartAsync(
            await cluster.CreateEmptyDatabaseAsync(), static builder => builder.Logging.SetMinimumLevel(LogLevel.Trace));
        var (app, person) = (await TestApp.CreateAsync(server, ClientType.Confidential), await Person.CreateAsync(server));
        var code = (await person.AllowAsync(app))["code"];
        var tokens = (await app.RedeemAsync(code, Person.Verifier)).Ok();
        var refreshed = (await app.RefreshAsync((string)tokens["refresh_token"]!)).Ok();
        await app.UserInfoAsync((string)tokens["access_token"]!);
        await app.PostAsync("/oauth/introspect", ("token", (string)refreshed["refresh_token"]!));
        await app.RefreshAsync((string)tokens["refresh_token"]!);
        await app.PostAsync("/oauth/revoke", ("token", (string)refreshed["access_token"]!));

        string[] secrets =
        [
            code, Person.Verifier, app.Secret!, (string)tokens["access_token"]!, (string)tokens["refresh_token"]!, (string)tokens["id_token"]!,
            (string)refreshed["refresh_token"]!, .. person.Browser.Cookies.Values,
        ];
        Assert.NotEmpty(server.Logs.Lines);
        Assert.All(secrets, secret => Assert.DoesNotContain(server.Logs.Lines, line => line.Text.Contains(secret, StringComparison.Ordinal)));
    }
}
