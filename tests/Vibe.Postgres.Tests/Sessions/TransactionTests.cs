using System.Data;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Sessions;

public sealed class TransactionTests(EmbeddedClusterFixture cluster) : SessionTestBase(cluster)
{
    [Fact]
    public async Task Repeatable_read_does_not_see_later_commits()
    {
        await using var transaction = await Database.BeginAsync(Alice, Access.Read, IsolationLevel.RepeatableRead, Timeout);
        Assert.Equal(0, await transaction.QueryFirstAsync($"select count(*) from vibe.item", static row => row.GetInt64(0), Timeout));
        await Database.ExecuteAsync(Alice, $"insert into vibe.item values (1)", Timeout);
        Assert.Equal(0, await transaction.QueryFirstAsync($"select count(*) from vibe.item", static row => row.GetInt64(0), Timeout));
        await transaction.CommitAsync(Timeout);

        Assert.Equal(1, await CountItemsAsync());
    }

    [Fact]
    public async Task The_context_holds_for_every_statement()
    {
        await using var transaction = await Database.BeginAsync(Alice, Access.Write, IsolationLevel.ReadCommitted, Timeout);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(Alice.Me, await transaction.QueryFirstAsync($"select vibe.me()", static row => row.GetString(0), Timeout));
        }
        var batch = transaction.CreateBatch();
        var me = batch.QueryFirst($"select vibe.me()", static row => row.GetString(0));
        await batch.RunAsync(Timeout);
        Assert.Equal(Alice.Me, me.Value);
    }

    [Fact]
    public async Task Uncommitted_work_is_rolled_back()
    {
        await using (var transaction = await Database.BeginAsync(Alice, Access.Write, IsolationLevel.ReadCommitted, Timeout))
        {
            await transaction.ExecuteAsync($"insert into vibe.item values (1)", Timeout);
        }

        Assert.Equal(0, await CountItemsAsync());
    }

    [Fact]
    public async Task Concurrent_updates_of_the_same_row_are_a_serialization_failure()
    {
        await Database.ExecuteAsync(Alice, $"insert into vibe.item values (1, 'a')", Timeout);
        await using var transaction = await Database.BeginAsync(Alice, Access.Write, IsolationLevel.RepeatableRead, Timeout);
        await transaction.QueryFirstAsync($"select name from vibe.item", static row => row.GetString(0), Timeout);
        await Database.ExecuteAsync(Alice, $"update vibe.item set name = 'b'", Timeout);
        var error = await Assert.ThrowsAsync<DatabaseException>(() => transaction.ExecuteAsync($"update vibe.item set name = 'c'", Timeout));

        Assert.Equal(DatabaseErrorKind.SerializationFailure, error.Kind);
    }

    [Fact]
    public async Task A_named_lock_has_one_holder_at_a_time()
    {
        var held = await Database.Owner.AcquireLockAsync("job", Timeout);
        Assert.Null(await Database.Owner.TryAcquireLockAsync("job", Timeout));
        await held.DisposeAsync();
        await using var next = await Database.Owner.TryAcquireLockAsync("job", Timeout);
        Assert.NotNull(next);
    }
}
