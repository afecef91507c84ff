using Microsoft.Extensions.Logging;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>Whatever the level: nothing that proves who somebody is, and no address, is ever logged.</summary>
[Collection(PostgresCollection.Name)]
public sealed class SecretsInLogsTests(AccountsHost host) : IClassFixture<AccountsHost>
{
    private const string Password = "s3cret horse battery";

    [Fact]
    public async Task No_way_of_signing_in_leaves_its_secret_in_the_log_at_trace()
    {
        var server = host.Server;
        var secrets = new List<string> { Password, "wr0ng horse battery", "an0ther horse battery" };
        var (browser, _, handle) = await host.SignUpAsync(Password);
        var address = $"{AccountsHost.NewHandle()}@secret.example";
        secrets.Add(address);
        (await browser.PostAsync("/auth/mail/add", $$"""{"address":"{{address}}"}""")).Ok();
        await ConfirmAsync(browser);
        using var key = new Authenticator();
        var attestation = key.Create((await browser.PostAsync("/auth/passkeys/add/options")).Ok());
        (await browser.PostAsync("/auth/passkeys/add", attestation)).Ok();
        var codes = (await browser.PostAsync("/auth/recovery/codes")).Ok()["codes"]!.AsArray().Select(static code => (string)code!).ToList();
        secrets.AddRange(codes);
        var token = (string)(await browser.PostAsync("/auth/account-token")).Ok()["accessToken"]!;
        secrets.AddRange(token.Split('.').Skip(1).Select(static part => part[..24]));
        Assert.Equal(System.Net.HttpStatusCode.OK, (await new ApiUser(server, "", token).GetAsync("/v1/account:export")).Status);

        var other = host.NewBrowser();
        (await other.PostAsync("/auth/mail/sign-in", $$"""{"identifier":"{{address}}"}""")).Ok();
        await ConfirmAsync(other);
        (await other.PostAsync("/auth/recovery/sign-in", $$"""{"identifier":"{{handle}}","code":"{{codes[0]}}"}""")).Ok();
        (await other.SignInAsync(key)).Ok();
        (await other.PostAsync("/auth/password/change", $$"""{"currentPassword":"{{Password}}","newPassword":"an0ther horse battery"}""")).Ok();
        Assert.NotEqual(System.Net.HttpStatusCode.OK, (await other.PostAsync("/auth/password/sign-in", $$"""{"identifier":"{{address}}","password":"wr0ng horse battery"}""")).Status);
        Assert.NotEqual(System.Net.HttpStatusCode.OK, (await other.PostAsync("/auth/password/sign-in", """{"identifier":"x","password":"wr0ng horse battery" oops""")).Status);
        secrets.AddRange(browser.Cookies.Values.Concat(other.Cookies.Values));
        (await other.PostAsync("/auth/sign-out")).Ok();

        var lines = server.Logs.Lines;
        Assert.Contains(lines, static line => line.Level == LogLevel.Trace);
        Assert.Contains(lines, static line => line.Text.Contains("/auth/password/change", StringComparison.Ordinal));
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(lines, line => line.Text.Contains(secret, StringComparison.OrdinalIgnoreCase));
        }

        async Task ConfirmAsync(Browser where)
        {
            var secret = await host.SecretAsync(address);
            secrets.Add(secret);
            (await where.PostAsync("/auth/mail/confirm", $$"""{"secret":"{{secret}}"}""")).Ok();
        }
    }
}
