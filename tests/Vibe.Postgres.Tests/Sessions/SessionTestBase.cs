using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Sessions;

/// <summary>A database of its own with a table <c>vibe.item</c> that requests may read and write.</summary>
[Collection(PostgresCollection.Name)]
public abstract class SessionTestBase(EmbeddedClusterFixture cluster) : IAsyncLifetime
{
    protected static readonly RequestContext Alice = new(
        "did:web:vibe.localhost:users:alice", "did:web:vibe.localhost:apps:notes", ["users", "cert:did:web:x#y"], ["*"], ["notes", "a,b\"c\\d{}"]);

    protected Database Database { get; private set; } = null!;

    protected static CancellationToken Timeout => new CancellationTokenSource(TimeSpan.FromMinutes(1)).Token;

    protected virtual DatabaseOptions Configure(DatabaseOptions options) => options;

    public virtual async Task InitializeAsync()
    {
        await using (var prepared = await cluster.CreateDatabaseAsync())
        {
            var batch = prepared.Owner.CreateBatch(Access.Write);
            batch.Execute($"create table vibe.item (id int primary key, name text)");
            batch.Execute($"grant select, insert, update on vibe.item to vibe_app");
            await batch.RunAsync(Timeout);
            Database = new(Configure(prepared.Options), TimeProvider.System);
        }
    }

    public async Task DisposeAsync() => await Database.DisposeAsync();

    /// <summary>What policies would see, read outside any context.</summary>
    protected async Task<(string? Me, string? App, string[] Principals, string[] Reads, string[] Writes, int Pid)> ReadContextOfBareConnectionAsync(Access access)
    {
        await using var connection = await (access == Access.Read ? Database.Reads : Database.Writes).OpenAsync(Timeout);
        await using var command = new Npgsql.NpgsqlCommand(
            "select vibe.me(), vibe.app(), vibe.principals(), vibe.read_scopes(), vibe.write_scopes(), pg_backend_pid()", connection);
        await using var reader = await command.ExecuteReaderAsync(Timeout);
        await reader.ReadAsync(Timeout);
        var row = new Row(reader);
        return (row.GetStringOrNull(0), row.GetStringOrNull(1), row.GetTextArray(2), row.GetTextArray(3), row.GetTextArray(4), row.GetInt32(5));
    }

    protected Task<long> CountItemsAsync() => Database.Owner.QueryFirstAsync($"select count(*) from vibe.item", static row => row.GetInt64(0), Timeout);
}
