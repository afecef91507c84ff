using Microsoft.Extensions.Logging;
using Npgsql;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Embedded;

/// <summary>
/// A PostgreSQL server that lives and dies with this process, on a private Unix socket. It is started again when it dies, and stopped when disposed;
/// data survives both, and also kill -9 of either process.
/// </summary>
public sealed class EmbeddedCluster : IAsyncDisposable
{
    /// <summary>The database that is made with the cluster.</summary>
    public const string DefaultDatabase = "vibe";

    private static readonly TimeSpan LogCheckInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly EmbeddedClusterOptions _options;
    private readonly ClusterDirectory _directory;
    private readonly OwnerLock _lock;
    private readonly PostmasterLauncher _launcher;
    private readonly ServerLog _log;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<EmbeddedClusterException> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Postmaster _postmaster;
    private Task _watching = Task.CompletedTask;

    private EmbeddedCluster(
        EmbeddedClusterOptions options, ClusterDirectory directory, OwnerLock @lock, PostmasterLauncher launcher, ServerLog log,
        Postmaster postmaster, ILogger logger, TimeProvider time)
    {
        _options = options;
        _directory = directory;
        _lock = @lock;
        _launcher = launcher;
        _log = log;
        _postmaster = postmaster;
        _logger = logger;
        _time = time;
    }

    /// <summary>Raised after the server died and was started again. Connections from before are dead; sessions replace theirs by themselves.</summary>
    public event EventHandler? Restarted;

    /// <summary>Completes when the server died and cannot be kept running; the process should then end.</summary>
    public Task<EmbeddedClusterException> Failed => _failed.Task;

    /// <summary>Process id of the server.</summary>
    public int ProcessId => _postmaster.Pid;

    /// <summary>Absolute path of the data directory.</summary>
    public string DataDirectory => _directory.Root;

    /// <summary>Path of the server's log.</summary>
    public string LogPath => _log.FilePath;

    /// <summary>Starts, or takes over, the server of a data directory, making the cluster if it is new.</summary>
    /// <param name="options">Where it lives.</param>
    /// <param name="logger">Told of starts, adoptions and restarts.</param>
    /// <param name="time">For waits and pauses.</param>
    /// <param name="cancellationToken">Gives up; a server that was already started is stopped.</param>
    /// <exception cref="EmbeddedClusterException">It cannot run; the message says what to do.</exception>
    public static async Task<EmbeddedCluster> StartAsync(
        EmbeddedClusterOptions options, ILogger logger, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        if (OperatingSystem.IsWindows())
        {
            throw new EmbeddedClusterException("The embedded PostgreSQL runs on Linux and macOS: use WSL, or an external database through ConnectionStrings__Vibe.");
        }
        var started = time.GetTimestamp();
        var user = ServerUser.Choose();
        var directory = new ClusterDirectory(options.DataDirectory);
        directory.Create(user);
        var ownerLock = await OwnerLock.AcquireAsync(directory, time, cancellationToken);
        EmbeddedCluster? cluster = null;
        try
        {
            var binaries = await PostgresBinaries.FindAsync(options, directory.DataVersion, cancellationToken);
            await new ClusterInitializer(options, directory, user, binaries).EnsureAsync(cancellationToken);
            directory.CreateSocketDirectory(user);

            var log = new ServerLog(directory.Log);
            var launcher = new PostmasterLauncher(options, directory, user, binaries, log, logger, time);
            var postmaster = await launcher.AdoptAsync(cancellationToken) ?? await launcher.StartAsync(cancellationToken);
            cluster = new(options, directory, ownerLock, launcher, log, postmaster, logger, time);
            await cluster.EnsureDatabaseAsync(DefaultDatabase, cancellationToken);
            cluster._watching = cluster.WatchAsync();
            logger.Ready(binaries.Version, directory.Root, postmaster.Pid, (long)time.GetElapsedTime(started).TotalMilliseconds);
            return cluster;
        }
        catch
        {
            if (cluster is not null)
            {
                await cluster.DisposeAsync();
            }
            ownerLock.Dispose();
            throw;
        }
    }

    /// <summary>How to reach a database of this cluster: as superuser for migrations, as <c>vibe_app</c> for requests. No secrets: the kernel authenticates.</summary>
    public DatabaseOptions GetDatabaseOptions(string database = DefaultDatabase) => LoginsOf(_directory, database);

    /// <summary>How to reach the server of a data directory that another process runs, for a command beside it; null when none is running.</summary>
    public static DatabaseOptions? FindRunning(string dataDirectory)
    {
        var directory = new ClusterDirectory(dataDirectory);
        return PostmasterFile.Read(directory.Cluster) is { IsReady: true } file && PostmasterFile.IsServer(file.Pid, directory.Cluster)
            ? LoginsOf(directory, DefaultDatabase)
            : null;
    }

    /// <summary>Makes a database unless it exists.</summary>
    /// <exception cref="DatabaseException">It could not be made.</exception>
    public async Task EnsureDatabaseAsync(string database, CancellationToken cancellationToken)
    {
        try
        {
            // The server is there: a machine that stands still for seconds is no reason not to start.
            await using var connection = new NpgsqlConnection(
                new NpgsqlConnectionStringBuilder(_launcher.AdminConnectionString("postgres")) { Timeout = 60, CommandTimeout = 60 }.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var exists = new NpgsqlCommand("select exists (select from pg_database where datname = $1)", connection)
            {
                Parameters = { new() { Value = database } },
            };
            if (await exists.ExecuteScalarAsync(cancellationToken) is true)
            {
                return;
            }
            await using var create = new NpgsqlCommand($"create database \"{database.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", connection);
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (NpgsqlException exception)
        {
            throw DatabaseException.From(exception);
        }
    }

    /// <summary>Stops the server (its sessions are ended, all data is on disk) and gives the data directory up.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }
        await _stopping.CancelAsync();
        await _watching;
        await _postmaster.StopAsync();
        _directory.RemoveSocketDirectory();
        _lock.Dispose();
        _stopping.Dispose();
    }

    private static DatabaseOptions LoginsOf(ClusterDirectory directory, string database)
    {
        return new() { ConnectionString = Login(ClusterInitializer.Superuser), AppConnectionString = Login(Roles.App) };

        string Login(string role) => new NpgsqlConnectionStringBuilder(PostmasterLauncher.AdminConnectionString(directory, database))
        {
            Username = role,
            Pooling = true,
        }.ConnectionString;
    }

    private async Task WatchAsync()
    {
        try
        {
            var running = _time.GetTimestamp();
            var failures = 0;
            while (true)
            {
                await WaitForDeathAsync();
                _logger.Died(_postmaster.Pid);
                failures = _time.GetElapsedTime(running) > Stable ? 0 : failures;
                var died = _time.GetTimestamp();
                if (!await StartAgainAsync(failures))
                {
                    return;
                }
                failures++;
                running = _time.GetTimestamp();
                _logger.Restarted(_postmaster.Pid, (long)_time.GetElapsedTime(died).TotalMilliseconds);
                Restarted?.Invoke(this, EventArgs.Empty);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    private async Task WaitForDeathAsync()
    {
        while (true)
        {
            try
            {
                await _postmaster.Exited.WaitAsync(LogCheckInterval, _time, _stopping.Token);
                return;
            }
            catch (TimeoutException)
            {
                _log.Trim();
            }
        }
    }

    private async Task<bool> StartAgainAsync(int earlierFailures)
    {
        for (var failures = earlierFailures; ; failures++)
        {
            if (failures > 0)
            {
                var pause = FirstPause * Math.Pow(2, failures);
                await Task.Delay(pause < LongestPause ? pause : LongestPause, _time, _stopping.Token);
            }
            try
            {
                _postmaster = await _launcher.StartAsync(_stopping.Token);
                return true;
            }
            catch (EmbeddedClusterException exception) when (failures + 1 < _options.MaxRestarts)
            {
                _logger.RestartFailed(failures + 1, exception);
            }
            catch (EmbeddedClusterException exception)
            {
                _logger.GaveUp(failures + 1, exception);
                _failed.TrySetResult(exception);
                return false;
            }
        }
    }
}
