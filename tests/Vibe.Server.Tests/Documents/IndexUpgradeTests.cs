using Vibe.Documents.V1;
using Vibe.Postgres.Migrations;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents;
using Vibe.Server.Documents.FieldIndexes;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;
using Vibe.Server.Tests.Documents.Queries;

namespace Vibe.Server.Tests.Documents;

/// <summary>Documents and field indexes of a server that knew no composite indexes and no entries of shares go on, and composite ones can be added.</summary>
[Collection(PostgresCollection.Name)]
public sealed class IndexUpgradeTests(EmbeddedClusterFixture postgres)
{
    private const string Collection = "things";
    private const int Composites = 111;

    private static readonly DocumentOptions Options = new() { FieldIndexBatch = 8 };

    [Fact]
    public async Task Entries_from_before_serve_and_composite_ones_are_built()
    {
        await using var database = new Database(await postgres.CreateEmptyDatabaseAsync(), TimeProvider.System);
        var migrations = Migration.Load(typeof(DocumentStore).Assembly);
        await new Migrator(database, [.. migrations.Where(static migration => migration.Number < Composites)], TimeProvider.System).MigrateAsync(null, CancellationToken.None);
        await database.Owner.ExecuteAsync(
            $$"""
            insert into vibe.field_index (collection, path, kind, state, keys, serving)
            values ({{Collection}}, 'data.n', 1, 3, '{n}', true), ({{Collection}}, 'data.s', 1, 3, '{s}', true)
            """,
            CancellationToken.None);
        await database.Admin.ExecuteAsync(
            $$$"""
            insert into vibe.documents (id, collection, owner_did, data, acl)
            select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, {{{Collection}}}, 'did:web:alice',
              jsonb_build_object('n', i, 's', 'x' || i % 3), case when i % 2 = 0 then '{"read": {"allow": ["*"]}}'
                when i % 5 = 0 then '{"read": {"allow": ["did:web:bob", "cert:did:web:gov#adult"]}}' else '{}' end::jsonb
            from generate_series(1, 60) i
            """,
            CancellationToken.None);
        await new Migrator(database, migrations, TimeProvider.System).MigrateAsync(null, CancellationToken.None);

        Assert.Equal(("data.n", "20 19 18 17 16"), await FindAsync(database, "data.n <= 20", "data.n desc"));
        Assert.Equal(("data.n|data.s", "60 57 54 51 48"), await FindAsync(database, "data.s = 'x0'", "data.n desc"));
        Assert.Equal(("data.n|data.s", "45 15"), await FindSharedAsync(database, "data.s = 'x0'", "data.n desc"));

        var name = FieldIndexName.Read(Collection, "data.s, data.n", FieldIndex.Types.Kind.Value, "");
        Assert.NotNull(await new FieldIndexStore(database).ApproveAsync(QueryCorpus.Alice, name, CancellationToken.None));
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await new FieldIndexBuilder(database, Options).StepAsync(timeout.Token) != BuildStep.Idle)
        {
            await Task.Yield();
        }

        Assert.Equal(("data.s, data.n", "60 57 54 51 48"), await FindAsync(database, "data.s = 'x0'", "data.n desc"));
        Assert.Equal(("data.s, data.n", "45 15"), await FindSharedAsync(database, "data.s = 'x0'", "data.n desc"));
        Assert.Equal(("data.n", "20 19 18 17 16"), await FindAsync(database, "data.n <= 20", "data.n desc"));
    }

    private static Task<(string Indexes, string Numbers)> FindAsync(Database database, string filter, string order) =>
        FindAsync(database, QueryCorpus.Alice, DocumentScope.Own, filter, order);

    private static Task<(string Indexes, string Numbers)> FindSharedAsync(Database database, string filter, string order) =>
        FindAsync(database, QueryCorpus.Bob, DocumentScope.Shared, filter, order);

    // The indexes used, and the numbers of the first documents found.
    private static async Task<(string Indexes, string Numbers)> FindAsync(
        Database database, Caller caller, DocumentScope scope, string filter, string order)
    {
        using var catalog = new FieldIndexCatalog(database, Options, TimeProvider.System);
        var query = new DocumentQuery
        {
            Collection = Collection,
            Scope = scope,
            Filter = QueryReader.Filter(filter, "filter"),
            Order = QueryReader.Order(order, "order_by"),
        };
        var ready = await catalog.ReadyAsync(Collection, CancellationToken.None);
        var compiled = QueryCompiler.Page(query, caller, ready, $"(d.data ->> 'n')::int", 5, after: null);
        var numbers = await database.QueryAsync(
            QueryCorpus.ContextOf(caller), compiled.Statement, static row => row.GetInt32(0), CancellationToken.None);
        return (string.Join('|', compiled.Fields), string.Join(' ', numbers));
    }
}
