using System.Data;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Sessions;

public sealed class RequestContextTests(EmbeddedClusterFixture cluster) : SessionTestBase(cluster)
{
    // One connection: whatever a request left behind, the next one on it would find.
    protected override DatabaseOptions Configure(DatabaseOptions options) => new()
    {
        ConnectionString = options.ConnectionString,
        AppConnectionString = options.AppConnectionString,
        MaxRequestConnections = 1,
        ConnectTimeout = options.ConnectTimeout,
        StatementTimeout = options.StatementTimeout,
        LockTimeout = options.LockTimeout,
        IdleInTransactionTimeout = options.IdleInTransactionTimeout,
    };

    [Fact]
    public async Task Statements_of_a_batch_see_the_context_exactly_as_given()
    {
        var batch = Database.CreateBatch(Alice, Access.Read);
        var first = batch.QueryFirst($"select vibe.me(), vibe.app()", static row => (row.GetString(0), row.GetString(1)));
        var second = batch.QueryFirst(
            $"select vibe.principals(), vibe.read_scopes(), vibe.write_scopes()",
            static row => (row.GetTextArray(0), row.GetTextArray(1), row.GetTextArray(2)));
        await batch.RunAsync(Timeout);

        Assert.Equal((Alice.Me!, Alice.App!), first.Value);
        Assert.Equal(Alice.Principals, second.Value.Item1);
        Assert.Equal(Alice.ReadScopes, second.Value.Item2);
        Assert.Equal(Alice.WriteScopes, second.Value.Item3);
    }

    [Theory]
    [InlineData("success")]
    [InlineData("error")]
    [InlineData("cancellation")]
    [InlineData("throwing reader")]
    [InlineData("committed transaction")]
    [InlineData("abandoned transaction")]
    [InlineData("failed transaction")]
    public async Task Nothing_of_a_context_survives_on_the_connection_after(string ending)
    {
        Access[] both = [Access.Read, Access.Write];
        int[] before = [.. await Task.WhenAll(both.Select(async access => (await ReadContextOfBareConnectionAsync(access)).Pid))];
        await EndAsync(ending);
        var after = await Task.WhenAll(both.Select(ReadContextOfBareConnectionAsync));

        Assert.Equal(before, after.Select(static connection => connection.Pid));
        Assert.All(after, static connection =>
        {
            Assert.Null(connection.Me);
            Assert.Null(connection.App);
            Assert.Empty(connection.Principals);
            Assert.Empty(connection.Reads);
            Assert.Empty(connection.Writes);
        });
    }

    [Fact]
    public async Task A_signed_out_caller_has_no_identity_after_a_signed_in_one_on_the_same_connection()
    {
        await Database.QueryFirstAsync(Alice, $"select vibe.me()", static row => row.GetStringOrNull(0), Timeout);
        var seen = await Database.QueryFirstAsync(
            RequestContext.Anonymous, $"select vibe.me(), vibe.principals()", static row => (row.GetStringOrNull(0), row.GetTextArray(1)), Timeout);

        Assert.Null(seen.Item1);
        Assert.Empty(seen.Item2);
    }

    [Fact]
    public async Task Requests_run_as_the_restricted_role()
    {
        var role = await Database.QueryFirstAsync(
            Alice,
            $"select current_user::text, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb from pg_roles where rolname = current_user",
            static row => (row.GetString(0), row.GetBoolean(1)),
            Timeout);

        Assert.Equal(("vibe_app", false), role);
    }

    [Fact]
    public async Task A_login_that_was_only_granted_the_role_is_switched_to_it()
    {
        await using var database = new Database(new() { ConnectionString = Database.Options.ConnectionString }, TimeProvider.System);

        Assert.Equal("vibe_app", await database.QueryFirstAsync(Alice, $"select current_user::text", static row => row.GetString(0), Timeout));
    }

    [Fact]
    public void More_principals_than_policies_can_bear_are_refused() => Assert.Throws<ArgumentException>(
        () => new RequestContext(null, null, [.. Enumerable.Range(0, 51).Select(static n => $"p{n}")], [], []));

    private async Task EndAsync(string ending)
    {
        switch (ending)
        {
            case "success":
                await Database.ExecuteAsync(Alice, $"insert into vibe.item values (1, vibe.me())", Timeout);
                break;
            case "error":
                await Assert.ThrowsAsync<DatabaseException>(() => Database.ExecuteAsync(Alice, $"insert into vibe.item values (1 / (select 0))", Timeout));
                break;
            case "cancellation":
                using (var cancellation = new CancellationTokenSource())
                {
                    var running = Database.QueryFirstAsync(Alice, $"select pg_sleep(30) is null", static row => row.GetBoolean(0), cancellation.Token);
                    await AwaitSleeperAsync();
                    await cancellation.CancelAsync();
                    await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
                }
                break;
            case "throwing reader":
                await Assert.ThrowsAsync<InvalidDataException>(() => Database.QueryAsync<int>(
                    Alice, $"select n from generate_series(1, 100) n", static _ => throw new InvalidDataException(), Timeout));
                break;
            case "committed transaction":
                await using (var transaction = await Database.BeginAsync(Alice, Access.Write, IsolationLevel.RepeatableRead, Timeout))
                {
                    await transaction.ExecuteAsync($"insert into vibe.item values (1, vibe.me())", Timeout);
                    await transaction.CommitAsync(Timeout);
                }
                break;
            case "abandoned transaction":
                await using (var transaction = await Database.BeginAsync(Alice, Access.Write, IsolationLevel.RepeatableRead, Timeout))
                {
                    await transaction.ExecuteAsync($"insert into vibe.item values (1, vibe.me())", Timeout);
                }
                break;
            case "failed transaction":
                await using (var transaction = await Database.BeginAsync(Alice, Access.Write, IsolationLevel.RepeatableRead, Timeout))
                {
                    await Assert.ThrowsAsync<DatabaseException>(() => transaction.ExecuteAsync($"insert into vibe.item values (1 / (select 0))", Timeout));
                }
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(ending));
        }
    }

    private async Task AwaitSleeperAsync()
    {
        var timeout = Timeout;
        while (await Database.Admin.QueryFirstAsync(
            $"select count(*) from pg_stat_activity where application_name = 'vibe' and wait_event = 'PgSleep' and datname = current_database()",
            static row => row.GetInt64(0),
            timeout) == 0)
        {
            await Task.Yield();
        }
    }
}
