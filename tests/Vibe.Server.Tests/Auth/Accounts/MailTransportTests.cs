using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth.Accounts.Mail;
using Vibe.Server.Commands;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>Mail through an SMTP server, and as files.</summary>
[Collection(PostgresCollection.Name)]
public sealed class MailTransportTests(EmbeddedClusterFixture cluster)
{
    [Fact]
    public async Task A_mail_goes_through_the_SMTP_server_that_is_named()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var received = ReceiveAsync(listener);
        await using var server = await ApiServer.StartAsync(await cluster.CreateEmptyDatabaseAsync(), builder => Configure(builder, new()
        {
            ["Vibe:Mail:Host"] = "127.0.0.1",
            ["Vibe:Mail:Port"] = $"{((IPEndPoint)listener.LocalEndpoint).Port}",
            ["Vibe:Mail:Tls"] = "false",
            ["Vibe:Mail:From"] = "hello@vibe.example",
        }));
        server.App.Services.GetRequiredService<MailQueue>().Send(new Letter("ana@mail.example", "Olá – your link", "Open it: é\n" + new string('x', 200)));

        var mail = await received.WaitAsync(ApiServer.Bound);
        Assert.Contains("RCPT TO:<ana@mail.example>", mail, StringComparison.Ordinal);
        Assert.Contains("MAIL FROM:<hello@vibe.example>", mail, StringComparison.Ordinal);
        Assert.Contains("Auto-Submitted: auto-generated", mail, StringComparison.OrdinalIgnoreCase);
        var text = MailText.Read(mail[mail.IndexOf("DATA\r\n", StringComparison.Ordinal)..].Replace("DATA\r\n", "", StringComparison.Ordinal));
        Assert.Contains("Subject: Olá – your link", text, StringComparison.Ordinal);
        Assert.Contains("Open it: é\n" + new string('x', 200), text.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_of_mails_are_for_their_owner_only_and_in_order()
    {
        var folder = Directory.CreateTempSubdirectory("vibe-mail-");
        var place = Path.Combine(folder.FullName, "mail");
        await using (var server = await ApiServer.StartAsync(await cluster.CreateEmptyDatabaseAsync(), builder => Configure(builder, new() { ["Vibe:Mail:Folder"] = place })))
        {
            var mails = server.App.Services.GetRequiredService<MailQueue>();
            mails.Send(new Letter("a@mail.example", "first", "one"));
            mails.Send(new Letter("a@mail.example", "second", "two"));
            await ApiServer.EventuallyAsync(() => Task.FromResult(Directory.Exists(place) && Directory.GetFiles(place, "*.eml").Length == 2));
        }

        Assert.Equal(["one", "two"], Directory.GetFiles(place).Order(StringComparer.Ordinal).Select(static file => MailText.Read(File.ReadAllText(file)).Trim().Split('\n')[^1]));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(place));
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_trusted_proxy_says_where_a_visitor_comes_from_and_nobody_else_does()
    {
        await using var server = await ApiServer.StartAsync(
            await cluster.CreateEmptyDatabaseAsync(), static builder => Configure(builder, new() { ["Vibe:TrustedProxies"] = "127.0.0.1, 10.0.0.0/8" }));
        Assert.Equal("203.0.113.7", await NetworkAsync(server, "198.51.100.1, 203.0.113.7, 10.1.2.3"));
        await using var alone = await ApiServer.StartAsync(await cluster.CreateEmptyDatabaseAsync());
        Assert.Equal("127.0.0.1", await NetworkAsync(alone, "203.0.113.7"));

        static async Task<string?> NetworkAsync(ApiServer server, string forwarded)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/password/sign-up")
            {
                Content = new StringContent("""{"handle":"ana","password":"correct horse battery"}""", Encoding.UTF8, "application/json"),
                Headers = { { "Origin", ApiServer.Issuer }, { "X-Forwarded-For", forwarded } },
            };
            using var response = await server.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return await server.Database.Owner.QueryFirstAsync($"select network from vibe.sessions", static row => row.GetString(0), default);
        }
    }

    private static void Configure(WebApplicationBuilder builder, Dictionary<string, string?> settings) => builder.Configuration.AddInMemoryCollection(settings);

    // As little of RFC 5321 as a client needs. Returns all that was said.
    private static async Task<string> ReceiveAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        await using var writer = new StreamWriter(stream, Encoding.ASCII) { NewLine = "\r\n", AutoFlush = true };
        var said = new StringBuilder();
        await writer.WriteLineAsync("220 test");
        while (await reader.ReadLineAsync() is { } line)
        {
            said.Append(line).Append("\r\n");
            if (line == "DATA")
            {
                await writer.WriteLineAsync("354 go on");
                while (await reader.ReadLineAsync() is { } text && text != ".")
                {
                    said.Append(text).Append("\r\n");
                }

                await writer.WriteLineAsync("250 taken");
                return said.ToString();
            }

            await writer.WriteLineAsync("250 fine");
        }

        return said.ToString();
    }
}
