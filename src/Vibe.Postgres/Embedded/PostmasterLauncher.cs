using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Vibe.Postgres.Embedded;

/// <summary>Gets a ready server on a data directory: adopts a healthy one that an earlier run left, else starts one.</summary>
internal sealed class PostmasterLauncher(
    EmbeddedClusterOptions options, ClusterDirectory directory, ServerUser user, PostgresBinaries binaries, ServerLog log, ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan OrphanPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeftoverPatience = TimeSpan.FromSeconds(20);

    /// <summary>A connection string of the superuser, unpooled.</summary>
    public string AdminConnectionString(string databaseName) => AdminConnectionString(directory, databaseName);

    /// <summary>The same for any data directory.</summary>
    public static string AdminConnectionString(ClusterDirectory directory, string databaseName) => new NpgsqlConnectionStringBuilder
    {
        Host = directory.Socket,
        Username = ClusterInitializer.Superuser,
        Database = databaseName,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
        Pooling = false,
        Timeout = 5,
    }.ConnectionString;

    /// <summary>A server that an earlier run left behind, if it is healthy and was started just as we would; any other is stopped.</summary>
    /// <exception cref="EmbeddedClusterException">Something uses the data directory and cannot be told apart from a server.</exception>
    public async Task<Postmaster?> AdoptAsync(CancellationToken cancellationToken)
    {
        if (PostmasterFile.Read(directory.Cluster) is not { } file || !PostmasterFile.IsAlive(file.Pid))
        {
            return null; // A stale file is the server's own business.
        }
        if (!PostmasterFile.IsServer(file.Pid, directory.Cluster))
        {
            // The id went to a stranger, after a reboot or in a new container. The server would refuse to start because of it.
            if (PostmasterFile.AnyServer(directory.Cluster))
            {
                throw new EmbeddedClusterException($"A process of an earlier PostgreSQL still works in {directory.Cluster}: stop it and start again.");
            }
            File.Delete(PostmasterFile.PathIn(directory.Cluster));
            return null;
        }

        if (await WhyNotAdoptableAsync(file.Pid, cancellationToken) is not { } reason)
        {
            logger.Adopted(file.Pid);
            return Postmaster.Adopt(file.Pid, time);
        }
        if (PostmasterFile.IsAlive(file.Pid))
        {
            logger.StoppingOrphan(file.Pid, reason);
            await Postmaster.Adopt(file.Pid, time).StopAsync();
        }
        return null;
    }

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <exception cref="EmbeddedClusterException">It does not come up.</exception>
    public async Task<Postmaster> StartAsync(CancellationToken cancellationToken)
    {
        var commandLine = ServerSettings.CommandLine(binaries, directory, options, out _);
        for (var started = time.GetTimestamp(); ; await Task.Delay(RetryInterval, time, cancellationToken))
        {
            log.Trim();
            var offset = log.Length;
            var postmaster = await LaunchAsync(commandLine, cancellationToken);
            if (await BecomesReadyAsync(postmaster, cancellationToken))
            {
                return postmaster;
            }
            var output = log.ReadSince(offset);
            // Backends of a killed postmaster take a moment to notice and to let go of its shared memory.
            var leftovers = output.Contains("pre-existing shared memory block", StringComparison.Ordinal)
                || output.Contains("\"postmaster.pid\" already exists", StringComparison.Ordinal);
            if (!leftovers || time.GetElapsedTime(started) > LeftoverPatience)
            {
                throw StartFailure.From("PostgreSQL", output, directory);
            }
        }
    }

    private async Task<string?> WhyNotAdoptableAsync(int pid, CancellationToken cancellationToken)
    {
        ServerSettings.CommandLine(binaries, directory, options, out var expected);
        var started = time.GetTimestamp();
        while (PostmasterFile.Read(directory.Cluster) is { } file && file.Pid == pid && PostmasterFile.IsAlive(pid))
        {
            var waited = time.GetElapsedTime(started);
            if (file.IsStopping && waited > OrphanPatience)
            {
                return "it does not finish stopping";
            }
            if (file.IsReady)
            {
                var name = await ReadClusterNameAsync(cancellationToken);
                if (name is not null)
                {
                    return name == expected ? null : "it was started with other settings";
                }
                if (waited > OrphanPatience)
                {
                    return "it does not answer";
                }
            }
            if (waited > options.StartTimeout)
            {
                return "it does not become ready";
            }
            await Task.Delay(RetryInterval, time, cancellationToken);
        }
        return "it ended";
    }

    private async Task<string?> ReadClusterNameAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection(AdminConnectionString("postgres"));
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("show cluster_name", connection);
            return await command.ExecuteScalarAsync(cancellationToken) as string;
        }
        catch (NpgsqlException)
        {
            return null;
        }
    }

    private async Task<Postmaster> LaunchAsync(IReadOnlyList<string> commandLine, CancellationToken cancellationToken)
    {
        // Its own session, so that Ctrl-C in the terminal reaches us alone and requests can finish; a death signal, so that the
        // server does not outlive us. The signal must be set after the change of user, which clears it.
        IEnumerable<string> wrapper = ["setsid", .. user.SwitchCommand is var change && change.Any() ? change : ["setpriv"], "--pdeathsig", "INT"];
        if (OperatingSystem.IsLinux() && (await Command.RunAsync([.. wrapper, "true"], cancellationToken)).Succeeded)
        {
            return await Postmaster.SpawnAsync([.. wrapper, .. commandLine], log, time);
        }
        if (user.Switched)
        {
            throw new EmbeddedClusterException("Running as root needs setsid and setpriv from util-linux to start PostgreSQL as another user: install util-linux, or run Vibe as an ordinary user.");
        }
        return await LaunchDetachedAsync(commandLine, cancellationToken);
    }

    // Where util-linux is missing (macOS) pg_ctl detaches the server; after a kill -9 of this process the next start adopts it.
    private async Task<Postmaster> LaunchDetachedAsync(IReadOnlyList<string> commandLine, CancellationToken cancellationToken)
    {
        var settings = string.Join(' ', commandLine.Skip(3).Select(static word => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'"));
        var result = await Command.RunAsync(
            [
                binaries.Control, "start", "-D", directory.Cluster, "-l", log.FilePath, "-o", settings, "-w",
                "-t", ((int)options.StartTimeout.TotalSeconds).ToString(CultureInfo.InvariantCulture),
            ],
            cancellationToken);
        return PostmasterFile.Read(directory.Cluster) is { } file && result.Succeeded
            ? Postmaster.Adopt(file.Pid, time)
            : throw StartFailure.From("PostgreSQL", result.Output + log.ReadSince(0), directory);
    }

    private async Task<bool> BecomesReadyAsync(Postmaster postmaster, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (!postmaster.Exited.IsCompleted)
        {
            if (PostmasterFile.Read(directory.Cluster) is { IsReady: true } file && file.Pid == postmaster.Pid
                && await ReadClusterNameAsync(cancellationToken) is not null)
            {
                return true;
            }
            if (time.GetElapsedTime(started) > options.StartTimeout)
            {
                await postmaster.StopAsync();
                throw new EmbeddedClusterException(
                    $"PostgreSQL in {directory.Root} did not become ready within {options.StartTimeout.TotalSeconds:0} s: see {log.FilePath}.");
            }
            await Task.Delay(PollInterval, time, cancellationToken);
        }
        return false;
    }
}
