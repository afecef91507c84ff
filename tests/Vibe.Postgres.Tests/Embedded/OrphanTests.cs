using System.Diagnostics;
using System.Globalization;
using Vibe.Postgres.Embedded;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Embedded;

public sealed class OrphanTests : ClusterTestBase
{
    [Fact]
    public async Task Killing_the_owner_ends_its_server_and_loses_nothing()
    {
        int server;
        using (var owner = StartOwner())
        {
            var line = await owner.StandardOutput.ReadLineAsync(Timeout) ?? throw new InvalidOperationException(await owner.StandardError.ReadToEndAsync(Timeout));
            server = int.Parse(line["ready ".Length..], CultureInfo.InvariantCulture);
            await WriteNumberAsync(ConnectionOf(DataDirectory), 1);
            owner.Kill();
            await owner.WaitForExitAsync(Timeout);
        }

        await AwaitEndOfAsync(server);
        await using var next = await StartAsync();
        Assert.Equal([1], await ReadNumbersAsync(next));
    }

    [Fact]
    public async Task A_start_right_after_the_owner_was_killed_works()
    {
        using (var owner = StartOwner())
        {
            await owner.StandardOutput.ReadLineAsync(Timeout);
            await WriteNumberAsync(ConnectionOf(DataDirectory), 1);
            owner.Kill();
            await owner.WaitForExitAsync(Timeout);
        }
        await using var next = await StartAsync();

        Assert.Equal([1], await ReadNumbersAsync(next));
    }

    [Fact]
    public async Task A_healthy_orphan_is_adopted()
    {
        var orphan = await LeaveOrphanAsync(Options);
        await using var cluster = await StartAsync();

        Assert.Equal(orphan, cluster.ProcessId);
        await WriteNumberAsync(cluster.GetDatabaseOptions(), 1);
        await cluster.DisposeAsync();
        Assert.False(PostmasterFile.IsAlive(orphan));
    }

    [Fact]
    public async Task An_adopted_server_is_watched_too()
    {
        var orphan = await LeaveOrphanAsync(Options);
        await using var cluster = await StartAsync();
        var restarted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Restarted += (_, _) => restarted.TrySetResult();
        PosixCalls.Signal(orphan, PosixCalls.SigKill);
        await restarted.Task.WaitAsync(Timeout);

        await WriteNumberAsync(cluster.GetDatabaseOptions(), 1);
    }

    [Fact]
    public async Task An_orphan_with_other_settings_is_replaced()
    {
        var orphan = await LeaveOrphanAsync(Options);
        await using var cluster = await StartAsync(new() { DataDirectory = DataDirectory, Durable = false, MaxConnections = 50 });

        Assert.NotEqual(orphan, cluster.ProcessId);
        Assert.False(PostmasterFile.IsAlive(orphan));
        await using var database = new Database(cluster.GetDatabaseOptions(), TimeProvider.System);
        Assert.Equal("50", await database.Admin.QueryFirstAsync($"select current_setting('max_connections')", static row => row.GetString(0), Timeout));
    }

    [Fact]
    public async Task An_orphan_that_does_not_answer_is_replaced()
    {
        var orphan = await LeaveOrphanAsync(Options);
        const int stop = 19;
        const int resume = 18;
        PosixCalls.Signal(orphan, stop);
        var starting = StartAsync();
        // After a while of silence it is told to stop; a halted process takes the signal when it is resumed.
        await AwaitPendingInterruptAsync(orphan);
        PosixCalls.Signal(orphan, resume);
        await using var cluster = await starting;

        await WriteNumberAsync(cluster.GetDatabaseOptions(), 1);
    }

    [Fact]
    public async Task A_stale_pid_file_whose_number_went_to_a_stranger_is_no_obstacle()
    {
        await (await StartAsync()).DisposeAsync();
        var file = PostmasterFile.PathIn(Path.Combine(DataDirectory, "cluster"));
        await File.WriteAllTextAsync(file, $"{Environment.ProcessId}\n{DataDirectory}/cluster\n1\n5432\n{DataDirectory}/run\n\n 1 1\nready   \n", Timeout);
        PosixCalls.ChangeOwner(file, ServerUser.Choose() is { Switched: true } user ? user : new("", uint.MaxValue, uint.MaxValue, Switched: false));
        await using var cluster = await StartAsync();

        Assert.NotEqual(Environment.ProcessId, cluster.ProcessId);
    }

    private static async Task AwaitPendingInterruptAsync(int pid)
    {
        var timeout = Timeout;
        string pending;
        do
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, timeout);
            pending = (await File.ReadAllLinesAsync($"/proc/{pid}/status", timeout)).First(static line => line.StartsWith("ShdPnd:", StringComparison.Ordinal));
        }
        while ((Convert.ToUInt64(pending["ShdPnd:".Length..].Trim(), 16) & (1UL << (PosixCalls.SigInt - 1))) == 0);
    }

    private static DatabaseOptions ConnectionOf(string dataDirectory) => new()
    {
        ConnectionString = $"Host={dataDirectory}/run;Username=vibe_admin;Database=vibe;SSL Mode=Disable;GSS Encryption Mode=Disable",
    };

    private Process StartOwner() => Process.Start(new ProcessStartInfo("dotnet", [typeof(Program).Assembly.Location, "supervise", DataDirectory])
    {
        UseShellExecute = false,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    /// <summary>A server as a killed owner leaves it where no death signal exists.</summary>
    private async Task<int> LeaveOrphanAsync(EmbeddedClusterOptions options)
    {
        await (await StartAsync(options)).DisposeAsync();
        var directory = new ClusterDirectory(DataDirectory);
        var user = ServerUser.Choose();
        directory.CreateSocketDirectory(user);
        var binaries = await PostgresBinaries.FindAsync(options, directory.DataVersion, Timeout);
        var log = new ServerLog(directory.Log);
        var words = ServerSettings.CommandLine(binaries, directory, options, out _);
        var orphan = await Postmaster.SpawnAsync([.. user.SwitchCommand, .. words], log, TimeProvider.System);
        var timeout = Timeout;
        while (PostmasterFile.Read(directory.Cluster) is not { IsReady: true })
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, timeout);
        }
        return orphan.Pid;
    }
}
