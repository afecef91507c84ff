using System.Globalization;
using System.Text.Json;
using Npgsql;
using Vibe.Benchmarks.Measuring;
using Vibe.Postgres.Embedded;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Hosting;

namespace Vibe.Benchmarks.Live;

/// <summary>A running server on an empty folder, and users with access tokens.</summary>
internal sealed class LiveServer : IAsyncDisposable
{
    private readonly string _data;

    private LiveServer(ServerProcess process, string url, string data)
    {
        Process = process;
        Url = url;
        _data = data;
    }

    /// <summary>The server.</summary>
    public ServerProcess Process { get; }

    /// <summary>Where it is.</summary>
    public string Url { get; }

    /// <summary>Access tokens, the writer's first.</summary>
    public List<string> Tokens { get; } = [];

    /// <summary>Whose they are.</summary>
    public List<string> Dids { get; } = [];

    /// <summary>The connection string of the superuser.</summary>
    public string Admin => EmbeddedCluster.FindRunning(_data)!.ConnectionString;

    /// <summary>Starts a server.</summary>
    /// <param name="users">How many there are.</param>
    /// <param name="settings">Environment variables for it.</param>
    public static async Task<LiveServer> StartAsync(int users, params (string Name, string Value)[] settings)
    {
        var (data, port) = (BenchOptions.NewFolder(), ServerProcess.FreePort());
        var server = new LiveServer(await ServerProcess.StartVibeAsync(port, data, [], settings), $"http://127.0.0.1:{port}", data);
        await using var storage = await Storage.OpenAsync(data, StorageUse.Command, CancellationToken.None);
        var tokens = await DevelopmentTokens.OpenAsync(storage, CancellationToken.None);
        var accounts = new NamedAccounts(storage.Database, new AuthOptions { Issuer = await ServerIdentity.ReadAsync(storage.Database, CancellationToken.None) });
        for (var i = 0; i < users; i++)
        {
            server.Tokens.Add(await tokens.MintAsync($"user{i}", app: null, "documents:*:write", TimeSpan.FromHours(1), CancellationToken.None));
            server.Dids.Add(await accounts.FindOrCreateUserAsync($"user{i}", CancellationToken.None));
        }

        return server;
    }

    /// <summary>Runs a client process until it has printed its result.</summary>
    /// <param name="mode">What it is to this program.</param>
    /// <param name="plan">What it does.</param>
    /// <param name="whenMeasuring">Runs beside it, from when it says that it measures.</param>
    public static async Task<TResult> DriveAsync<TPlan, TResult>(string mode, TPlan plan, Func<Task>? whenMeasuring = null)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, JsonSerializer.SerializeToUtf8Bytes(plan));
        await using var driver = ServerProcess.Start("dotnet", [BenchOptions.Self, mode, file]);
        await driver.WaitForLineAsync("measuring");
        await (whenMeasuring?.Invoke() ?? Task.CompletedTask);
        var line = await driver.WaitForLineAsync("result ");
        File.Delete(file);
        return JsonSerializer.Deserialize<TResult>(line["result ".Length..])!;
    }

    /// <summary>Transactions of the database so far, ended either way; as of a second ago at most.</summary>
    public async Task<long> ReadTransactionsAsync()
    {
        await using var connection = new NpgsqlConnection(Admin);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select sum(xact_commit + xact_rollback)::bigint from pg_stat_database where datname = current_database()", connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
