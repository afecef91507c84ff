using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Vibe.Client.Tests.Support;

/// <summary>A real server with a database of its own, which can be killed and started again on the same port and data.</summary>
public sealed class VibeServer : IAsyncDisposable
{
    private static readonly SemaphoreSlim OneBuild = new(1, 1);
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);
    private readonly string _folder = Directory.CreateTempSubdirectory("vibe-csharp-").FullName;
    private readonly ConcurrentDictionary<string, string> _tokens = new(StringComparer.Ordinal);
    private readonly int _port = FreePort();
    private Process? _process;

    private VibeServer()
    {
    }

    /// <summary>How it knows itself.</summary>
    public string Url => $"http://127.0.0.1:{_port}";

    /// <summary>Another name of it, which is not the one it knows itself by.</summary>
    public string OtherUrl => $"http://vibe.localhost:{_port}";

    private string Data => Path.Combine(_folder, "data");

    public static async Task<VibeServer> StartAsync()
    {
        var server = new VibeServer();

        // The database does not run as root: its user must get in.
        File.SetUnixFileMode(server._folder, File.GetUnixFileMode(server._folder)
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        try
        {
            // Built first, by one for all and however long that takes: what follows waits for a server only.
            await OneBuild.WaitAsync();
            try
            {
                await server.OutputAsync("--help");
            }
            finally
            {
                OneBuild.Release();
            }

            await server.RestartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task RestartAsync()
    {
        _process = Run(["serve", "--port", $"{_port}", "--data", Data]);
        var errors = _process.StandardError.ReadToEndAsync();
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(StartLimit) is { } line)
        {
            if (line.StartsWith("ready: ", StringComparison.Ordinal))
            {
                // What it says from here on is read, so that it does not wait for a reader.
                _ = _process.StandardOutput.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException($"The server ended before it was ready: {await errors}");
    }

    /// <summary>An access token of a user, who is created when new.</summary>
    public async Task<string> TokenAsync(string user, string scope = "documents:*:write")
    {
        var name = $"{user} {scope}";
        return _tokens.TryGetValue(name, out var known) ? known : _tokens[name] = await OutputAsync("token", "--user", user, "--scope", scope, "--data", Data);
    }

    /// <summary>A client of a user.</summary>
    public async Task<VibeClient> ClientAsync(string user, Action<VibeOptions>? configure = null)
    {
        var options = new VibeOptions { Url = Url, Credentials = VibeCredentials.Token(await TokenAsync(user)), Timeout = Waiting.Limit };
        configure?.Invoke(options);
        return new VibeClient(options);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            using var terminate = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> OutputAsync(params string[] arguments)
    {
        using var process = Run(arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException(await errors);
    }

    private Process Run(string[] arguments) => Process.Start(new ProcessStartInfo(Path.Combine(Repository.Root, "scripts/vibe"), arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        Environment = { ["VIBE_PUBLIC_URL"] = Url },
    })!;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>One server for all suites that do not kill theirs.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    private int _names;

    public VibeServer Vibe { get; private set; } = null!;

    /// <summary>A name that no other test uses.</summary>
    public string NewName(string prefix) => $"{prefix}{Interlocked.Increment(ref _names)}";

    public async Task InitializeAsync() => Vibe = await VibeServer.StartAsync();

    public async Task DisposeAsync()
    {
        if (Vibe is not null)
        {
            await Vibe.DisposeAsync();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class ServerCollection : ICollectionFixture<SharedServer>
{
    public const string Name = "server";
}
