using System.Globalization;
using System.Text;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Sessions;

public sealed class BatchTests(EmbeddedClusterFixture cluster) : SessionTestBase(cluster)
{
    [Fact]
    public async Task Every_supported_type_comes_back_as_it_was_sent()
    {
        var id = Guid.CreateVersion7();
        var time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)).AddMicroseconds(6);
        var json = Encoding.UTF8.GetBytes("""{"ä": [1, "x'$1"]}""");
        var seen = await Database.QueryFirstAsync(
            Alice,
            $"""
            select {id}, {"t'ext"}, {1}, {2L}, {true}, {1.5}, {time}, {ulong.MaxValue - 1}, {(ReadOnlyMemory<byte>)json}, {json}, {new Bytea(json)},
              {(string[])["a", "b,\"c"]}, {(Guid[])[id]}, {(long[])[1, 2]}, {TimeSpan.FromMinutes(3)}
            """,
            static row => (object[])
            [
                row.GetGuid(0), row.GetString(1), row.GetInt32(2), row.GetInt64(3), row.GetBoolean(4), row.GetDouble(5), row.GetTimestamp(6), row.GetXid8(7),
                Encoding.UTF8.GetString(row.GetJson(8).Span), Encoding.UTF8.GetString(row.GetJson(9).Span), row.GetBytes(10), row.GetTextArray(11),
                row.GetGuidArray(12), row.GetInt64Array(13),
            ],
            Timeout);

        Assert.Equal(
            [
                id, "t'ext", 1, 2L, true, 1.5, time, ulong.MaxValue - 1, Encoding.UTF8.GetString(json), Encoding.UTF8.GetString(json), json,
                (string[])["a", "b,\"c"], (Guid[])[id], (long[])[1, 2],
            ],
            seen!);
    }

    [Fact]
    public async Task Nulls_keep_their_type()
    {
        var types = await Database.QueryFirstAsync(
            Alice,
            $"""
            select array[pg_typeof({(string?)null}), pg_typeof({(Guid?)null}), pg_typeof({(int?)null}), pg_typeof({(long?)null}), pg_typeof({(bool?)null}),
              pg_typeof({(double?)null}), pg_typeof({(DateTimeOffset?)null}), pg_typeof({(ulong?)null}), pg_typeof({(ReadOnlyMemory<byte>?)null}),
              pg_typeof({(byte[]?)null}), pg_typeof({(Bytea?)null}), pg_typeof({(string[]?)null}), pg_typeof({(IReadOnlyList<Guid>?)null})]::text[],
              {(string?)null} is null and {(Guid?)null} is null and {(byte[]?)null} is null and {(string[]?)null} is null
            """,
            static row => (row.GetTextArray(0), row.GetBoolean(1)),
            Timeout);

        Assert.Equal(
            ["text", "uuid", "integer", "bigint", "boolean", "double precision", "timestamp with time zone", "xid8", "jsonb", "jsonb", "bytea", "text[]", "uuid[]"],
            types.Item1);
        Assert.True(types.Item2);
    }

    [Fact]
    public async Task Bulk_rows_travel_as_arrays()
    {
        byte[][] documents = [.. Enumerable.Range(0, 1000).Select(static n => Encoding.UTF8.GetBytes($$"""{"n": {{n.ToString(CultureInfo.InvariantCulture)}}}"""))];
        var sum = await Database.QueryFirstAsync(
            Alice, $"select sum((d->>'n')::int) from unnest({documents}) d", static row => row.GetInt64(0), Timeout);

        Assert.Equal(999 * 1000 / 2, sum);
    }

    [Fact]
    public async Task Each_statement_of_a_batch_has_its_own_result()
    {
        Sql shared = $"id >= {2}";
        var batch = Database.CreateBatch(Alice, Access.Write);
        var inserted = batch.Execute($"insert into vibe.item select n, 'x' from generate_series(1, {5}) n");
        var rows = batch.Query($"select id from vibe.item where {shared} order by id", static row => row.GetInt32(0));
        var updated = batch.Query($"update vibe.item set name = {"y"} where {shared} returning id", static row => row.GetInt32(0));
        var none = batch.QueryFirst($"select name from vibe.item where id = {99}", static row => row.GetString(0));
        var deleted = batch.Execute($"update vibe.item set name = null where name = {"y"} and {shared}");
        await batch.RunAsync(Timeout);

        Assert.Equal(5, inserted.Value);
        Assert.Equal([2, 3, 4, 5], rows.Value);
        Assert.Equal(4, updated.Value.Count);
        Assert.Null(none.Value);
        Assert.Equal(4, deleted.Value);
    }

    [Fact]
    public async Task A_failing_statement_takes_the_whole_batch_back()
    {
        var batch = Database.CreateBatch(Alice, Access.Write);
        var inserted = batch.Execute($"insert into vibe.item values (1)");
        batch.Execute($"insert into vibe.item values (1)");
        var error = await Assert.ThrowsAsync<DatabaseException>(() => batch.RunAsync(Timeout));

        Assert.Equal((DatabaseErrorKind.UniqueViolation, "23505", "item_pkey"), (error.Kind, error.SqlState, error.Constraint));
        Assert.Throws<InvalidOperationException>(() => inserted.Value);
        Assert.Equal(0, await CountItemsAsync());
    }

    [Fact]
    public async Task A_reading_batch_cannot_write()
    {
        var batch = Database.CreateBatch(Alice, Access.Read);
        batch.Execute($"insert into vibe.item values (1)");
        var error = await Assert.ThrowsAsync<DatabaseException>(() => batch.RunAsync(Timeout));

        Assert.Equal("25006", error.SqlState);
    }

    [Fact]
    public async Task A_statement_that_returns_rows_must_be_a_query()
    {
        var batch = Database.CreateBatch(Alice, Access.Read);
        batch.Execute($"select 1");
        await Assert.ThrowsAsync<InvalidOperationException>(() => batch.RunAsync(Timeout));

        batch = Database.CreateBatch(Alice, Access.Write);
        batch.Query($"insert into vibe.item values (7)", static row => row.GetInt32(0));
        await Assert.ThrowsAsync<InvalidOperationException>(() => batch.RunAsync(Timeout));
    }

    [Fact]
    public async Task A_batch_runs_once_and_not_empty()
    {
        var batch = Database.CreateBatch(Alice, Access.Read);
        await Assert.ThrowsAsync<InvalidOperationException>(() => batch.RunAsync(Timeout));
        batch.QueryFirst($"select 1", static row => row.GetInt32(0));
        await batch.RunAsync(Timeout);
        await Assert.ThrowsAsync<InvalidOperationException>(() => batch.RunAsync(Timeout));
    }

    [Fact]
    public async Task What_the_role_may_not_do_is_insufficient_privilege()
    {
        var error = await Assert.ThrowsAsync<DatabaseException>(() => Database.ExecuteAsync(Alice, $"delete from vibe.item", Timeout));

        Assert.Equal(DatabaseErrorKind.InsufficientPrivilege, error.Kind);
        Assert.DoesNotContain("item", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Statements_are_prepared_once_their_shape_recurs()
    {
        await using var one = new Database(
            new() { ConnectionString = Database.Options.ConnectionString, AppConnectionString = Database.Options.AppConnectionString, MaxRequestConnections = 1 },
            TimeProvider.System);
        for (var i = 0; i < 4; i++)
        {
            await one.QueryFirstAsync(Alice, $"select name from vibe.item where id = {i}", static row => row.GetString(0), Timeout);
        }
        var prepared = await one.QueryFirstAsync(
            Alice, $"select count(*) from pg_prepared_statements where statement like 'select name from vibe.item%'", static row => row.GetInt64(0), Timeout);

        Assert.Equal(1, prepared);
    }
}
