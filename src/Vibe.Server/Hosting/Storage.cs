using Vibe.Postgres.Diagnostics;
using Vibe.Postgres.Embedded;
using Vibe.Postgres.Migrations;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth;

namespace Vibe.Server.Hosting;

/// <summary>What a process does with an installation.</summary>
internal enum StorageUse
{
    /// <summary>Serves: an embedded database belongs to this process alone.</summary>
    Serve,

    /// <summary>Runs one command: uses the database of a running server, or starts it for the moment.</summary>
    Command,
}

/// <summary>
/// The database of an installation and its master key: a PostgreSQL server named by <c>ConnectionStrings__Vibe</c>, or an
/// embedded one in a directory.
/// </summary>
internal sealed class Storage : IAsyncDisposable
{
    private readonly EmbeddedCluster? _cluster;

    /// <summary>Takes over an open database.</summary>
    internal Storage(Database database, MasterKey masterKey, EmbeddedCluster? cluster)
    {
        Database = database;
        MasterKey = masterKey;
        _cluster = cluster;
    }

    /// <summary>The database.</summary>
    public Database Database { get; }

    /// <summary>The secret outside the database.</summary>
    public MasterKey MasterKey { get; }

    /// <summary>Completes when an embedded database died and cannot be kept running: the process should then end.</summary>
    public Task<EmbeddedClusterException> Failed => _cluster?.Failed ?? Never.Task;

    private static readonly TaskCompletionSource<EmbeddedClusterException> Never = new();

    /// <summary>Opens the installation.</summary>
    /// <param name="dataDirectory">Where an embedded one lives.</param>
    /// <param name="use">What for.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="Refusal">Settings are missing or contradict each other.</exception>
    /// <exception cref="EmbeddedClusterException">The embedded database cannot be used.</exception>
    public static async Task<Storage> OpenAsync(string dataDirectory, StorageUse use, CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable("ConnectionStrings__Vibe") is { Length: > 0 } connectionString)
        {
            var key = Environment.GetEnvironmentVariable("VIBE_MASTER_KEY")
                ?? throw new Refusal("ConnectionStrings__Vibe is set, so VIBE_MASTER_KEY must be too: make one with `openssl rand -base64 32` and keep it.");
            return new Storage(Open(connectionString), MasterKey.Parse(key), cluster: null);
        }

        return await OpenEmbeddedAsync(dataDirectory, use, cancellationToken);
    }

    /// <summary>Brings the schema to the version of this binary.</summary>
    /// <returns>The migrations that ran.</returns>
    /// <exception cref="Refusal">It cannot be brought there.</exception>
    public async Task<IReadOnlyList<Migration>> MigrateAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Migrator().MigrateAsync(progress: null, cancellationToken);
        }
        catch (MigrationException exception)
        {
            throw new Refusal(exception.Message);
        }
    }

    /// <summary>Examines the database.</summary>
    public DatabaseDiagnostics Diagnostics() => new(Database, Migrator(), _cluster);

    private Migrator Migrator() => new(Database, Migration.Load(typeof(Database).Assembly, typeof(Storage).Assembly), TimeProvider.System);

    /// <summary>Closes the connections and stops the embedded database that this process started.</summary>
    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    private static async Task<Storage> OpenEmbeddedAsync(string directory, StorageUse use, CancellationToken cancellationToken)
    {
        if (use == StorageUse.Command && EmbeddedCluster.FindRunning(directory) is { } running)
        {
            return new Storage(new Database(running, TimeProvider.System), MasterKey.OfDataDirectory(directory), cluster: null);
        }

        using var loggers = LoggerFactory.Create(logging => logging.AddLines().SetMinimumLevel(LogLevel.Warning));
        var cluster = await EmbeddedCluster.StartAsync(
            new EmbeddedClusterOptions { DataDirectory = directory }, loggers.CreateLogger<EmbeddedCluster>(), TimeProvider.System, cancellationToken);
        return new Storage(new Database(cluster.GetDatabaseOptions(), TimeProvider.System), MasterKey.OfDataDirectory(directory), cluster);
    }

    private static Database Open(string connectionString)
    {
        try
        {
            return new Database(
                new DatabaseOptions
                {
                    ConnectionString = connectionString,
                    AppConnectionString = Environment.GetEnvironmentVariable("ConnectionStrings__VibeApp"),
                },
                TimeProvider.System);
        }
        catch (ArgumentException exception)
        {
            throw new Refusal($"ConnectionStrings__Vibe is not a connection string: {exception.Message}");
        }
    }
}
