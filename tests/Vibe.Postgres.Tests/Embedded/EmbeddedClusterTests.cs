using Vibe.Postgres.Embedded;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Embedded;

public sealed class EmbeddedClusterTests : ClusterTestBase
{
    [Fact]
    public async Task Data_survives_a_stop_and_a_start()
    {
        await using (var cluster = await StartAsync())
        {
            await WriteNumberAsync(cluster.GetDatabaseOptions(), 1);
            await cluster.DisposeAsync();
            Assert.False(PostmasterFile.IsAlive(cluster.ProcessId));
        }
        await using var again = await StartAsync();

        Assert.Equal([1], await ReadNumbersAsync(again));
    }

    [Fact]
    public async Task The_server_has_the_settings_that_the_rest_relies_on()
    {
        await using var cluster = await StartAsync();
        await using var database = new Database(cluster.GetDatabaseOptions(), TimeProvider.System);
        var settings = await database.Admin.QueryAsync(
            $"""
            select name || '=' || setting from pg_settings
            where name in ('listen_addresses', 'wal_level', 'jit', 'data_checksums', 'max_slot_wal_keep_size', 'server_encoding', 'unix_socket_permissions')
            order by name
            """,
            static row => row.GetString(0),
            Timeout);

        Assert.Equal(
            [
                "data_checksums=on", "jit=off", "listen_addresses=", "max_slot_wal_keep_size=1024", "server_encoding=UTF8", "unix_socket_permissions=0700",
                "wal_level=logical",
            ],
            settings);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(DataDirectory, "run")));
    }

    [Fact]
    public async Task A_killed_server_is_started_again_and_sessions_carry_on()
    {
        await using var cluster = await StartAsync();
        await WriteNumberAsync(cluster.GetDatabaseOptions(), 1);
        await using var database = new Database(EmbeddedClusterFixture.Patient(cluster.GetDatabaseOptions().ConnectionString), TimeProvider.System);
        await database.Admin.QueryFirstAsync($"select 1", static row => row.GetInt32(0), Timeout);
        var restarted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Restarted += (_, _) => restarted.TrySetResult();
        var killed = cluster.ProcessId;
        PosixCalls.Signal(killed, PosixCalls.SigKill);

        // Asked while it is down: the connection is dead, the next attempt waits for the server to come back.
        Assert.Equal([1], await database.Admin.QueryAsync($"select n from number", static row => row.GetInt32(0), Timeout));
        await restarted.Task.WaitAsync(Timeout);
        Assert.NotEqual(killed, cluster.ProcessId);
        await WriteNumberAsync(cluster.GetDatabaseOptions(), 2);
        Assert.Equal([1, 2], await ReadNumbersAsync(cluster));
    }

    [Fact]
    public async Task A_server_that_does_not_stay_up_is_given_up_with_a_reason()
    {
        await using var cluster = await StartAsync(new() { DataDirectory = DataDirectory, Durable = false, MaxRestarts = 2 });
        var control = Path.Combine(DataDirectory, "cluster", "global", "pg_control");
        await File.WriteAllBytesAsync(control, new byte[8192], Timeout);
        PosixCalls.Signal(cluster.ProcessId, PosixCalls.SigKill);
        var reason = await cluster.Failed.WaitAsync(Timeout);

        Assert.Contains(cluster.LogPath, reason.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_start_on_the_same_directory_is_refused_and_names_the_owner()
    {
        await using var cluster = await StartAsync();
        var error = await Assert.ThrowsAsync<EmbeddedClusterException>(() => StartAsync());

        Assert.Equal($"The data directory {DataDirectory} is already in use by process {Environment.ProcessId}: stop it, or choose another data directory.", error.Message);
        await WriteNumberAsync(cluster.GetDatabaseOptions(), 1);
    }

    [Fact]
    public async Task A_long_path_moves_the_socket_to_a_short_private_directory()
    {
        var options = new EmbeddedClusterOptions { DataDirectory = Path.Combine(DataDirectory, new string('x', 120)), Durable = false };
        await using var cluster = await StartAsync(options);
        await WriteNumberAsync(cluster.GetDatabaseOptions(), 1);
        var socket = new ClusterDirectory(options.DataDirectory).Socket;

        Assert.StartsWith("/tmp/vibe-", socket, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(socket));
        await cluster.DisposeAsync();
        Assert.False(Directory.Exists(socket));
    }

    [Fact]
    public async Task An_interrupted_initdb_is_done_again()
    {
        Directory.CreateDirectory(Path.Combine(DataDirectory, "cluster.new", "base"));
        await using var cluster = await StartAsync();

        await WriteNumberAsync(cluster.GetDatabaseOptions(), 1);
        Assert.False(Directory.Exists(Path.Combine(DataDirectory, "cluster.new")));
    }

    [Fact]
    public void A_large_log_is_set_aside_and_emptied()
    {
        Directory.CreateDirectory(DataDirectory);
        var log = new ServerLog(Path.Combine(DataDirectory, "postgres.log"));
        using (var server = new FileStream(log.FilePath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
        {
            server.Write(new byte[ServerLog.MaxBytes]);
            server.Flush();
            log.Trim();
        }

        Assert.Equal(0, log.Length);
        Assert.Equal(ServerLog.MaxBytes, new FileInfo(log.FilePath + ".1").Length);
    }
}
