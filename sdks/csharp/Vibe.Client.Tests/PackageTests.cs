using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Vibe.Apps.V1;
using Vibe.Client.Tests.Support;

namespace Vibe.Client.Tests;

/// <summary>
/// The package in fresh folders, as people install it: a console app and an ASP.NET Core app are made of the README's own blocks, and run.
/// </summary>
public sealed class PackageTests : IDisposable
{
    private const string Version = "0.1.0";

    // What the blocks between the two programs take for granted.
    private const string Surroundings = """
        using Vibe.Client;
        using Vibe.Errors.V1;

        public sealed record Place(string City);
        public sealed record Task_(string Title, string State, List<string> Tags, Place? Place, bool Done, int Priority);
        public sealed record Order(string Title);
        public sealed record Presence(string Name, bool Typing);
        public sealed record Greeting(string Text);

        internal static class Snippets
        {
            private static void Show(object what) => Console.WriteLine(what);
            private static Task<string?> LoadCursor() => Task.FromResult<string?>(null);
            private static Task SaveCursor(string? cursor) => Task.CompletedTask;
            private static Task Handle(ChangeKind kind, string id, Order? order) => Task.CompletedTask;

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("vibe-csharp-package-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_console_app_and_an_ASP_NET_Core_app_use_the_package()
    {
        await using var server = await VibeServer.StartAsync();
        var blocks = Blocks(File.ReadAllText(Path.Combine(Repository.Root, "sdks/csharp/README.md")));
        await PackAsync();

        var console = await BuildAsync("console", "Microsoft.NET.Sdk", new()
        {
            ["Program.cs"] = blocks[0].Replace("http://vibe.localhost:5080", server.OtherUrl, StringComparison.Ordinal),
            ["Snippets.cs"] = Surroundings + string.Concat(blocks[1..^1].Select(Method)) + "}\n",
        });
        var token = await server.TokenAsync("package");
        Assert.Equal("pinned\n", await RunAsync(console, "dotnet", ["bin/Release/net10.0/console.dll"], ("TOKEN", token)));

        var web = await BuildAsync("web", "Microsoft.NET.Sdk.Web", new() { ["Program.cs"] = blocks[^1] });
        await ServeAsync(web, server, token);
    }

    private async Task PackAsync()
    {
        var feed = Path.Combine(_folder, "feed");
        foreach (var project in (string[])["src/Vibe.Rpc.Core", "sdks/csharp/Vibe.Client"])
        {
            await RunAsync(Repository.Root, "dotnet", ["pack", project, "-c", Configuration, "--no-build", "-o", feed, "-nologo", "-v", "quiet"]);
        }

        using var package = await ZipFile.OpenReadAsync(Path.Combine(feed, $"Vibe.Client.{Version}.nupkg"));
        var names = package.Entries.Select(static entry => entry.FullName).ToList();
        Assert.Contains("lib/net10.0/Vibe.Client.dll", names);
        Assert.Contains("lib/net10.0/Vibe.Client.xml", names);
        Assert.Contains("README.md", names);
        await using var nuspec = await package.GetEntry("Vibe.Client.nuspec")!.OpenAsync();
        var text = await new StreamReader(nuspec).ReadToEndAsync();
        Assert.DoesNotContain("AspNetCore", text, StringComparison.Ordinal);
        Assert.Contains("<license type=\"expression\">MIT</license>", text, StringComparison.Ordinal);

        // Nothing but the folder, and what this machine has restored already: no look-up of ours goes anywhere.
        var known = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages");
        await File.WriteAllTextAsync(Path.Combine(_folder, "nuget.config"), $"""
            <configuration>
              <packageSources><clear /><add key="feed" value="{feed}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="known" value="{known}" /></fallbackPackageFolders>
            </configuration>
            """);
    }

    private async Task<string> BuildAsync(string name, string sdk, Dictionary<string, string> files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        files[$"{name}.csproj"] = $"""
            <Project Sdk="{sdk}">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <OutputType>Exe</OutputType>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <UseAppHost>false</UseAppHost>
              </PropertyGroup>
              <ItemGroup><PackageReference Include="Vibe.Client" Version="{Version}" /></ItemGroup>
            </Project>
            """;
        foreach (var (file, text) in files)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, file), text);
        }

        await RunAsync(folder, "dotnet", ["build", "-c", "Release", "-nologo", "-v", "quiet"]);
        return folder;
    }

    private static async Task ServeAsync(string folder, VibeServer server, string token)
    {
        using var owner = new VibeClient(new VibeOptions { Url = server.Url, Credentials = VibeCredentials.Token(await server.TokenAsync("owner", "account")) });
        var app = (await owner.Apps.CreateAppAsync(new()
        {
            App = new() { Name = "package", Manifest = new() { DisplayName = "The package app", ClientType = ClientType.Confidential } },
        })).App.Did;
        var secret = (await owner.Apps.CreateAppCredentialAsync(new() { Name = app, Credential = new() })).Secret;
        var url = $"http://127.0.0.1:{FreePort()}";
        using var process = Start(
            folder, "dotnet", ["bin/Release/net10.0/web.dll", "--urls", url, "--Vibe:Url", server.Url, "--Vibe:App", app, "--Vibe:Secret", secret]);
        try
        {
            var output = new StringBuilder();
            while (await process.StandardOutput.ReadLineAsync().WaitAsync(Waiting.Limit) is { } line && !line.Contains("Application started", StringComparison.Ordinal))
            {
                output.AppendLine(line);
            }

            Assert.False(process.HasExited, output.ToString());
            using var http = new HttpClient { BaseAddress = new Uri(url) };
            using var posted = await http.PostAsJsonAsync("/news", new { title = "from the app" });
            Assert.Equal(app, await posted.Content.ReadAsStringAsync());
            http.DefaultRequestHeaders.Authorization = new("Bearer", token);
            Assert.Contains("\"title\":\"pinned\"", await http.GetStringAsync(new Uri("/notes", UriKind.Relative)), StringComparison.Ordinal);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    // The blocks between ```csharp and ```.
    private static List<string> Blocks(string markdown) =>
        [.. markdown.Split("```csharp\n")[1..].Select(static rest => rest[..rest.IndexOf("```", StringComparison.Ordinal)])];

    private static string Method(string block, int index) => $$"""
            public static async Task Block{{index}}(
                VibeClient vibe, Collection<Note> notes, Document<Note> note, Collection<Task_> tasks, Collection<Order> orders, DateTimeOffset yesterday,
                string url, string did, string secret, string path, CancellationToken cancellationToken)
            {
                await Task.CompletedTask;
        {{block}}
            }

        """;

    private static async Task<string> RunAsync(string folder, string command, string[] arguments, params (string Name, string Value)[] environment)
    {
        using var process = Start(folder, command, arguments, environment);
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{command} {string.Join(' ', arguments)}\n{output}\n{await errors}");
        return output;
    }

    private static Process Start(string folder, string command, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(command, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };

        // The test host runs inside of MSBuild's own surroundings; what is built here is somebody else's.
        foreach (var name in start.Environment.Keys.Where(static name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        if (folder != Repository.Root)
        {
            start.Environment["NUGET_PACKAGES"] = Path.Combine(Path.GetDirectoryName(folder)!, "packages");
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
}
