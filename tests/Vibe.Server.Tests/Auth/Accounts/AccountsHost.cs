using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vibe.Postgres.Tests;
using Vibe.Server.Commands;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>A server whose mails go into a folder of the test's own, and to which each browser comes from another network.</summary>
public sealed partial class AccountsHost(EmbeddedClusterFixture cluster) : IAsyncLifetime
{
    internal const string NetworkHeader = "X-Test-Network";

    private static int Names;
    private readonly DirectoryInfo _mail = Directory.CreateTempSubdirectory("vibe-mail-");

    internal ApiServer Server { get; private set; } = null!;

    /// <summary>A handle nobody else takes.</summary>
    internal static string NewHandle() => $"person-{Interlocked.Increment(ref Names)}";

    /// <inheritdoc/>
    public async Task InitializeAsync() => Server = await ApiServer.StartAsync(await cluster.CreateEmptyDatabaseAsync(), builder =>
    {
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        builder.Configuration.AddInMemoryCollection([new("Vibe:Mail:Folder", _mail.FullName)]);
        builder.Services.AddSingleton<IStartupFilter, Networks>();
    });

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        await Server.DisposeAsync();
        _mail.Delete(recursive: true);
    }

    internal Browser NewBrowser() => new(Server);

    /// <summary>A person with a password, signed in.</summary>
    internal async Task<(Browser Browser, string Did, string Handle)> SignUpAsync(string password = "correct horse battery")
    {
        var (browser, handle) = (NewBrowser(), NewHandle());
        var answer = await browser.PostAsync("/auth/password/sign-up", $$"""{"handle":"{{handle}}","displayName":"Some One","password":"{{password}}"}""");
        return (browser, (string)answer.Ok()["account"]!["did"]!, handle);
    }

    /// <summary>An address that the person has confirmed.</summary>
    internal async Task<string> ConfirmAddressAsync(Browser browser)
    {
        var address = $"{NewHandle()}@mail.example";
        (await browser.PostAsync("/auth/mail/add", $$"""{"address":"{{address}}"}""")).Ok();
        (await browser.PostAsync("/auth/mail/confirm", $$"""{"secret":"{{await SecretAsync(address)}}"}""")).Ok();
        return address;
    }

    /// <summary>The text of the next mail to an address that says something, as a person would read it.</summary>
    internal async Task<string> MailAsync(string address, string saying = "")
    {
        string? found = null;
        await ApiServer.EventuallyAsync(() =>
        {
            foreach (var file in _mail.GetFiles("*.eml").OrderBy(static file => file.Name, StringComparer.Ordinal))
            {
                var mail = File.ReadAllText(file.FullName);
                var text = MailText.Read(mail);
                if (mail.Contains($"To: {address}", StringComparison.Ordinal) && text.Contains(saying, StringComparison.Ordinal))
                {
                    found = text;
                    file.Delete();
                    return Task.FromResult(true);
                }
            }

            return Task.FromResult(false);
        });
        return found!;
    }

    internal bool HasMail(string address) =>
        _mail.GetFiles("*.eml").Any(file => File.ReadAllText(file.FullName).Contains(address, StringComparison.Ordinal));

    /// <summary>The secret of the link in the next mail to an address.</summary>
    internal async Task<string> SecretAsync(string address) => Link.Match(await MailAsync(address, "/sign-in/mail#")).Groups["secret"].Value;

    [GeneratedRegex("/sign-in/mail#(?<secret>[A-Za-z0-9_-]{43})", RegexOptions.ExplicitCapture)]
    private static partial Regex Link { get; }

    private sealed class Networks : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((http, following) =>
            {
                if (IPAddress.TryParse(http.Request.Headers[NetworkHeader], out var address))
                {
                    http.Connection.RemoteIpAddress = address;
                }

                return following(http);
            });
            next(app);
        };
    }
}
