using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Vibe.Postgres.Embedded;
using Vibe.Postgres.Migrations;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests;

/// <summary>One real PostgreSQL for a whole test run; every test class takes a database of its own from it.</summary>
public sealed class EmbeddedClusterFixture : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"vibe-test-{Guid.NewGuid():n}");
    private int _databases;

    /// <summary>The running server.</summary>
    public EmbeddedCluster Cluster { get; private set; } = null!;

    /// <inheritdoc />
    public async Task InitializeAsync() => Cluster = await EmbeddedCluster.StartAsync(
        new() { DataDirectory = _directory, Durable = false }, NullLogger.Instance, TimeProvider.System, CancellationToken.None);

    /// <inheritdoc />
    public async Task DisposeAsync()
    {
        await Cluster.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>How to reach a new, empty database.</summary>
    public async Task<DatabaseOptions> CreateEmptyDatabaseAsync()
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await Cluster.EnsureDatabaseAsync(name, CancellationToken.None);
        var options = Cluster.GetDatabaseOptions(name);
        return Patient(options.ConnectionString, options.AppConnectionString);
    }

    /// <summary>How to reach a database from a machine that may stand still for seconds: with limits that only what hangs meets.</summary>
    public static DatabaseOptions Patient(string connection, string? appConnection = null) => new()
    {
        // Also for who connects with it beside the pools.
        ConnectionString = new NpgsqlConnectionStringBuilder(connection) { Timeout = (int)Patience.TotalSeconds, CommandTimeout = (int)Patience.TotalSeconds }.ConnectionString,
        AppConnectionString = appConnection,
        StatementTimeout = Patience,
        LockTimeout = Patience,
        IdleInTransactionTimeout = Patience,
        ConnectTimeout = Patience,
        ConnectRetry = Patience,
    };

    /// <summary>A new database with the given migrations (and those of Vibe.Postgres) applied.</summary>
    public async Task<Database> CreateDatabaseAsync(params IEnumerable<System.Reflection.Assembly> migrations)
    {
        var database = new Database(await CreateEmptyDatabaseAsync(), TimeProvider.System);
        await new Migrator(database, Migration.Load(migrations), TimeProvider.System).MigrateAsync(null, CancellationToken.None);
        return database;
    }
}
