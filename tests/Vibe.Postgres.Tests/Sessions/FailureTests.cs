using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Sessions;

public sealed class FailureTests(EmbeddedClusterFixture cluster) : SessionTestBase(cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task An_idle_connection_that_died_does_not_fail_a_read()
    {
        await Database.QueryFirstAsync(Alice, $"select 1", static row => row.GetInt32(0), Timeout);
        await TerminateRequestsAsync();

        Assert.Equal(2, await Database.QueryFirstAsync(Alice, $"select 2", static row => row.GetInt32(0), Timeout));
    }

    [Fact]
    public async Task A_read_cut_off_in_flight_is_run_once_more()
    {
        // The first run waits for the lock; killing it leaves the second one to find the lock free.
        var blocker = await Database.Owner.AcquireLockAsync("gate", Timeout);
        var key = ServiceSessions.Key("gate");
        var batch = Database.CreateBatch(Alice, Access.Read);
        var pid = batch.QueryFirst($"select pg_backend_pid() from (select set_config('lock_timeout', '0', true), pg_advisory_xact_lock_shared({key})) x", static row => row.GetInt32(0));
        var running = batch.RunAsync(Timeout);
        var first = await AwaitWaiterAsync();
        await Database.Admin.QueryAsync($"select pg_terminate_backend({first})", static row => row.GetBoolean(0), Timeout);
        await blocker.DisposeAsync();
        await running;

        Assert.NotEqual(first, pid.Value);
    }

    [Fact]
    public async Task A_write_cut_off_in_flight_is_not_repeated_and_says_so()
    {
        var batch = Database.CreateBatch(Alice, Access.Write);
        batch.Execute($"insert into vibe.item values (1)");
        batch.Query($"select pg_terminate_backend(pg_backend_pid())", static row => row.GetBoolean(0));
        var error = await Assert.ThrowsAsync<DatabaseException>(() => batch.RunAsync(Timeout));

        Assert.Equal(DatabaseErrorKind.ConnectionLost, error.Kind);
        Assert.Equal(0, await CountItemsAsync());
        Assert.Equal(1, await Database.ExecuteAsync(Alice, $"insert into vibe.item values (1)", Timeout));
    }

    [Fact]
    public async Task A_slow_statement_is_a_statement_timeout()
    {
        await using var hasty = Limited(statement: TimeSpan.FromSeconds(1));
        var error = await Assert.ThrowsAsync<DatabaseException>(
            () => hasty.QueryFirstAsync(Alice, $"select pg_sleep(60) is null", static row => row.GetBoolean(0), Timeout));

        Assert.Equal((DatabaseErrorKind.StatementTimeout, "57014"), (error.Kind, error.SqlState));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_statement_cut_off_while_it_is_planned_for_the_first_time_works_the_next_time(bool inTransaction)
    {
        // Folded by the planner, which takes long as long as the setting says so.
        await Database.Admin.ExecuteAsync(
            $"""
            create function vibe.planned() returns int language plpgsql immutable as
              $$ begin if current_setting('vibe.slow', true) = 'on' then perform pg_sleep(60); end if; return 1; end $$
            """,
            Timeout);
        await using var hasty = Limited(statement: TimeSpan.FromSeconds(6));
        await using var held = await hasty.Reads.OpenAsync(Timeout);
        Assert.Equal(1, await PlanAsync(slow: false));
        if (inTransaction)
        {
            await using var transaction = await hasty.BeginAsync(Alice, Access.Read, System.Data.IsolationLevel.ReadCommitted, Timeout);
            await transaction.QueryAsync($"select set_config('vibe.slow', 'on', true)", static row => row.GetString(0), Timeout);
            await Assert.ThrowsAsync<DatabaseException>(() => transaction.QueryFirstAsync($"select vibe.planned()", static row => row.GetInt32(0), Timeout));
        }
        else
        {
            Assert.Equal(DatabaseErrorKind.StatementTimeout, (await Assert.ThrowsAsync<DatabaseException>(() => PlanAsync(slow: true))).Kind);
        }

        for (var use = 0; use < 5; use++)
        {
            Assert.Equal(1, await PlanAsync(slow: false));
        }

        async Task<int> PlanAsync(bool slow)
        {
            var batch = hasty.CreateBatch(Alice, Access.Read);
            batch.Query($"select set_config('vibe.slow', {(slow ? "on" : "off")}, true)", static row => row.GetString(0));
            var planned = batch.QueryFirst($"select vibe.planned()", static row => row.GetInt32(0));
            await batch.RunAsync(Timeout);
            return planned.Value;
        }
    }

    [Fact]
    public async Task A_long_wait_for_a_lock_is_a_statement_timeout()
    {
        await Database.ExecuteAsync(Alice, $"insert into vibe.item values (1)", Timeout);
        await using var holder = await Database.Owner.BeginAsync(Access.Write, System.Data.IsolationLevel.ReadCommitted, Timeout);
        await holder.ExecuteAsync($"update vibe.item set name = 'held'", Timeout);
        await using var hasty = Limited(lockWait: TimeSpan.FromMilliseconds(200));
        var error = await Assert.ThrowsAsync<DatabaseException>(() => hasty.ExecuteAsync(Alice, $"update vibe.item set name = 'x'", Timeout));

        Assert.Equal((DatabaseErrorKind.StatementTimeout, "55P03"), (error.Kind, error.SqlState));
    }

    [Fact]
    public async Task A_transaction_left_idle_is_ended_by_the_server()
    {
        await using var hasty = Limited(idle: TimeSpan.FromSeconds(4));
        await using var transaction = await hasty.BeginAsync(Alice, Access.Write, System.Data.IsolationLevel.ReadCommitted, Timeout);
        var pid = await transaction.QueryFirstAsync($"select pg_backend_pid()", static row => row.GetInt32(0), Timeout);
        var timeout = Timeout;
        while (await Database.Admin.QueryFirstAsync($"select count(*) from pg_stat_activity where pid = {pid}", static row => row.GetInt64(0), timeout) > 0)
        {
            await Task.Yield();
        }

        var error = await Assert.ThrowsAsync<DatabaseException>(() => transaction.ExecuteAsync($"insert into vibe.item values (1)", Timeout));

        Assert.Equal(DatabaseErrorKind.ConnectionLost, error.Kind);
    }

    [Fact]
    public async Task A_pool_with_no_free_connection_is_too_many_connections()
    {
        await using var small = Limited(connect: TimeSpan.FromSeconds(5));
        await using var first = await small.Reads.OpenAsync(Timeout);
        await using var second = await small.Reads.OpenAsync(Timeout);
        var error = await Assert.ThrowsAsync<DatabaseException>(() => small.QueryFirstAsync(Alice, $"select 1", static row => row.GetInt32(0), Timeout));

        Assert.Equal(DatabaseErrorKind.TooManyConnections, error.Kind);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_connection_lost_after_the_retry_window()
    {
        await using var nowhere = new Database(
            new() { ConnectionString = "Host=/tmp/vibe-no-such-socket;Username=x;Database=x", ConnectRetry = TimeSpan.FromMilliseconds(50) }, TimeProvider.System);
        var error = await Assert.ThrowsAsync<DatabaseException>(() => nowhere.QueryFirstAsync(Alice, $"select 1", static row => row.GetInt32(0), Timeout));

        Assert.Equal(DatabaseErrorKind.ConnectionLost, error.Kind);
    }

    // The same database with two connections, and patience but for what a test is about.
    private Database Limited(TimeSpan? statement = null, TimeSpan? lockWait = null, TimeSpan? idle = null, TimeSpan? connect = null) => new(
        new()
        {
            ConnectionString = Database.Options.ConnectionString,
            AppConnectionString = Database.Options.AppConnectionString,
            MaxRequestConnections = 2,
            StatementTimeout = statement ?? Patience,
            LockTimeout = lockWait ?? Patience,
            IdleInTransactionTimeout = idle ?? Patience,
            ConnectTimeout = connect ?? Patience,
        },
        TimeProvider.System);

    private Task<IReadOnlyList<bool>> TerminateRequestsAsync() => Database.Admin.QueryAsync(
        $"select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'vibe' and datname = current_database()",
        static row => row.GetBoolean(0),
        Timeout);

    private async Task<int> AwaitWaiterAsync()
    {
        var timeout = Timeout;
        while (true)
        {
            var pids = await Database.Admin.QueryAsync(
                $"select pid from pg_stat_activity where application_name = 'vibe' and wait_event_type = 'Lock' and datname = current_database()",
                static row => row.GetInt32(0),
                timeout);
            if (pids is [var pid])
            {
                return pid;
            }
            await Task.Yield();
        }
    }
}
