using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Tests.Documents.Queries;

/// <summary>
/// How queries run, by what they read rather than by the clock: which indexes, how many rows, how much is sorted. Sessions
/// are those of requests, so that their settings take part.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class PlanTests(PlanCorpus corpus) : IClassFixture<PlanCorpus>
{
    private const DocumentScope Own = DocumentScope.Own, Shared = DocumentScope.Shared, Public = DocumentScope.Public, All = DocumentScope.All;

    // A third of the documents is open, so the filter of a walk passes a third of what it reads; 51 rows a branch.
    [Theory]
    [InlineData("nobody", Public, "", "", 51, "documents_public")]
    [InlineData("ann", Public, "", "", 51, "documents_public")]
    [InlineData("ann", Own, "", "", 0, "documents_owner")]
    [InlineData("max", Own, "", "", 51, "documents_owner")]
    [InlineData("ann", Shared, "", "", 153, "doc_acl_feed, documents_pkey, documents_public")]
    [InlineData("ann", All, "", "", 153, "doc_acl_feed, documents_owner, documents_pkey, documents_public")]
    [InlineData("elsewhere", All, "", "", 51, "documents_owner, documents_public")]
    [InlineData("elsewhere", Shared, "", "", 0, "")]
    [InlineData("crawler", All, "", "", 153, "documents_owner, documents_private, documents_public")]
    [InlineData("crawler", Shared, "", "", 102, "documents_private, documents_public")]
    [InlineData("nobody", Public, "data.state = 'open'", "", 51, "doc_fields_open, documents_pkey")]
    [InlineData("max", Own, "data.state = 'open'", "", 51, "doc_fields_owner, documents_pkey")]
    [InlineData("nobody", Public, "data.state = 'none'", "", 0, "doc_fields_open")]
    [InlineData("nobody", Public, "", "data.n", 51, "doc_fields_open, documents_pkey")]
    [InlineData("nobody", Public, "", "data.name desc", 51, "doc_fields_open, documents_pkey")]
    [InlineData("nobody", Public, "", "data.state, create_time", 51, "doc_fields_open, documents_pkey")]
    [InlineData("max", Own, "", "data.n desc", 51, "doc_fields_owner, documents_pkey")]
    [InlineData("nobody", Public, "data.n > 3000", "data.n", 51, "doc_fields_open, documents_pkey")]
    [InlineData("nobody", Public, "data.name starts_with 'a'", "data.name", 51, "doc_fields_open, documents_pkey")]
    [InlineData("max", Own, "data.n >= 3000 and data.n < 9000", "data.n desc", 51, "doc_fields_owner, documents_pkey")]
    public async Task The_index_gives_the_page_in_order(string who, DocumentScope scope, string filter, string order, int documents, string indexes)
    {
        var plan = await ExplainAsync(who, scope, filter, order, FieldPlan.UsualProbeLimit);

        Assert.Equal(indexes, string.Join(", ", plan.Indexes));
        Check(plan, documents, entries: 51, sorted: 0);
    }

    // A composite index has what the filter wants in the order wanted: the page and nothing else is read.
    [Theory]
    [InlineData("nobody", Public, "data.state = 'done'", "data.n", 51, "doc_fields_open, documents_pkey")]
    [InlineData("nobody", Public, "data.state = 'done'", "data.name desc", 51, "doc_fields_open, documents_pkey")]
    [InlineData("nobody", Public, "data.state = 'done' and data.n > 3000", "data.n", 51, "doc_fields_open, documents_pkey")]
    [InlineData("nobody", Public, "data.state = 'done' and data.n >= 3000 and data.n < 9000", "data.n desc", 51, "doc_fields_open, documents_pkey")]
    [InlineData("nobody", Public, "data.state = 'open' and data.name starts_with 'a'", "data.name", 51, "doc_fields_open, documents_pkey")]
    [InlineData("nobody", Public, "data.third = true and data.state = 'open'", "data.n", 51, "doc_fields_open, documents_pkey")]
    [InlineData("nobody", Public, "data.third = true and data.state = 'open' and data.n = 11757", "", 1, "doc_fields_open, documents_pkey")]
    [InlineData("ann", Public, "data.state = 'held'", "data.n desc", 51, "doc_fields_open, documents_pkey")]
    [InlineData("ann", Own, "data.state = 'held'", "data.n", 0, "doc_fields_owner")]
    [InlineData("max", Own, "data.state = 'held'", "data.n", 51, "doc_fields_owner, documents_pkey")]
    [InlineData("max", Own, "data.state = 'held' and data.name starts_with 'b'", "data.name desc", 51, "doc_fields_owner, documents_pkey")]
    [InlineData("elsewhere", All, "data.state = 'done'", "data.n", 51, "doc_fields_open, doc_fields_owner, documents_pkey")]
    public async Task A_composite_index_gives_the_page_in_order(string who, DocumentScope scope, string filter, string order, int documents, string indexes)
    {
        var (caller, query) = (CallerOf(who), Query(scope, filter, order));
        var first = QueryCompiler.Page(query, caller, PlanCorpus.WithComposites, $"d.id", 51, null);
        var plan = await ExplainAsync(caller, first.Statement);

        Assert.Equal(indexes, string.Join(", ", plan.Indexes));
        Check(plan, documents, entries: 51, sorted: 0);

        var places = await corpus.Database.QueryAsync(Context(caller), first.Statement, row => first.ReadPlace(row, 1), CancellationToken.None);
        if (places.Count > 0)
        {
            var next = QueryCompiler.Page(query, caller, PlanCorpus.WithComposites, $"d.id", 51, places[^1]);
            Check(await ExplainAsync(caller, next.Statement), documents, entries: 51, sorted: 0);
        }
    }

    // What is shared by name has entries of its own, so that no page looks into all shares.
    [Theory]
    [InlineData("ann", All, "data.state = 'done'", "data.n", 153)]
    [InlineData("ann", Shared, "data.state = 'done'", "data.n", 102)]
    [InlineData("ann", Shared, "data.state = 'open'", "", 102)]
    [InlineData("ann", All, "data.state = 'open'", "", 153)]
    [InlineData("ann", All, "data.state = 'none'", "", 0)]
    [InlineData("ann", Shared, "data.name starts_with 'a'", "data.name desc", 102)]
    [InlineData("ann", Shared, "", "data.n", 102)]
    [InlineData("elsewhere", Shared, "data.state = 'open'", "data.n", 0)]
    public async Task Branches_with_entries_read_a_page_each(string who, DocumentScope scope, string filter, string order, int documents)
    {
        var caller = CallerOf(who);
        var plan = await ExplainAsync(caller, QueryCompiler.Page(Query(scope, filter, order), caller, PlanCorpus.WithComposites, $"d.id", 51, null).Statement);

        Check(plan, documents, entries: 153, sorted: 0);
    }

    [Fact]
    public async Task Few_shared_matches_are_sorted()
    {
        var plan = await ExplainAsync("ann", Shared, "data.n < 400", "", FieldPlan.UsualProbeLimit);

        Check(plan, documents: 102, entries: 100, sorted: 100);
    }

    // Few matches are read and sorted; then the documents of the page alone, or of all matches where their bodies order them.
    [Theory]
    [InlineData("nobody", Public, "data.n < 400", "", 51)]
    [InlineData("max", Own, "data.n < 400", "", 51)]
    [InlineData("nobody", Public, "data.n in [1, 2, 3, 4, 5, 6, 7]", "", 7)]
    [InlineData("nobody", Public, "data.name starts_with 'aa'", "", 51)]
    [InlineData("nobody", Public, "data.name starts_with 'aa'", "data.n", 200)]
    [InlineData("nobody", Public, "data.state = 'open' and data.n < 400", "", 200)]
    [InlineData("max", Own, "data.state = 'none'", "data.n", 0)]
    public async Task Few_matches_are_sorted(string who, DocumentScope scope, string filter, string order, int documents)
    {
        var plan = await ExplainAsync(who, scope, filter, order, FieldPlan.UsualProbeLimit);

        Check(plan, documents, entries: 200, sorted: 200);
    }

    // Many matches: the walk in the order wanted passes what the filter throws away, one row in two or four here.
    [Theory]
    [InlineData("nobody", Public, "data.n < 6000", "", 204)]
    [InlineData("nobody", Public, "data.state = 'open'", "data.n", 204)]
    [InlineData("nobody", Public, "data.state = 'done'", "data.name desc", 408)]
    [InlineData("max", Own, "data.state = 'open' and data.n < 6000", "", 204)]
    [InlineData("max", Own, "data.state in ['open', 'held']", "", 204)]
    public async Task Many_matches_are_walked_to(string who, DocumentScope scope, string filter, string order, int documents)
    {
        var plan = await ExplainAsync(who, scope, filter, order, probeLimit: 100);

        Check(plan, documents, entries: documents + 202, sorted: 0);
    }

    [Fact]
    public async Task The_next_page_starts_where_the_page_before_ended()
    {
        var query = Query(Public, "data.state = 'open'", "");
        var first = QueryCompiler.Page(query, Caller.SignedOut, PlanCorpus.Indexed, $"d.id", 501, null);
        var places = await corpus.Database.QueryAsync(Context(Caller.SignedOut), first.Statement, row => first.ReadPlace(row, 1), CancellationToken.None);
        var second = QueryCompiler.Page(query, Caller.SignedOut, PlanCorpus.Indexed, $"d.id", 51, places[^1]);

        Check(await ExplainAsync(Caller.SignedOut, second.Statement), documents: 51, entries: 51, sorted: 0);
    }

    // No plan of what is inside a function can be seen from outside, but what it did is counted. Half of the edges are of
    // public documents, newest first, so a page reads two documents for each that it shows.
    [Fact]
    public async Task Edges_that_come_in_are_read_newest_first()
    {
        var target = Guid.Parse("00000000-0000-7000-8000-000000000001");
        foreach (var label in new[] { null, "to" })
        {
            var read = await CountAsync($"select source_id from vibe.edges_in({target}, {label}, 'infinity', {Guid.Empty}, '', 51)", "doc_edges", "documents");

            Assert.Equal(0, read["doc_edges"].Scans + read["documents"].Scans);
            Assert.InRange(read["documents"].Rows, 51, 204);
        }
    }

    [Fact]
    public async Task A_search_reads_the_documents_that_have_the_words()
    {
        var read = await CountAsync($"select id from vibe.search({PlanCorpus.Collection}, 'word7')", "doc_search", "documents");

        Assert.Equal(((0, 240), (0, 240)), (read["doc_search"], read["documents"]));
    }

    // Sequential scans and rows fetched.
    private async Task<Dictionary<string, (long Scans, long Rows)>> CountAsync(Sql statement, params string[] tables)
    {
        Sql counts = $"""
            select relname, seq_scan, seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables
            where schemaname = 'vibe' and relname = any({tables})
            """;
        var batch = corpus.Database.CreateBatch(Context(Caller.SignedOut), Access.Read);
        var before = batch.Query(counts, ReadCount);
        batch.Query(statement, static row => row.GetGuid(0));
        var after = batch.Query(counts, ReadCount);
        await batch.RunAsync(CancellationToken.None);
        return after.Value.Zip(before.Value, static (one, two) => (one.Table, Scans: one.Scans - two.Scans, Rows: one.Rows - two.Rows))
            .ToDictionary(static count => count.Table, static count => (count.Scans, count.Rows));
    }

    private static (string Table, long Scans, long Rows) ReadCount(Row row) => (row.GetString(0), row.GetInt64(1), row.GetInt64(2));

    private static void Check(ExecutedPlan plan, int documents, int entries, int sorted)
    {
        Assert.DoesNotContain(plan.Kinds, static kind => kind.StartsWith("Seq", StringComparison.Ordinal) || kind.StartsWith("Bitmap", StringComparison.Ordinal));
        Assert.True(plan.RowsReadFrom("documents") <= documents, $"{plan.RowsReadFrom("documents")} documents read\n{plan}");
        var read = plan.RowsReadFrom("doc_fields") + plan.RowsReadFrom("share_fields");
        Assert.True(read <= entries, $"{read} entries read\n{plan}");
        // Branches are put together by sorting a page of each.
        Assert.True(plan.LargestSort <= Math.Max(sorted, 204), $"{plan.LargestSort} rows sorted\n{plan}");
    }

    private static Caller CallerOf(string who) => who switch
    {
        "ann" => PlanCorpus.Ann,
        "max" => PlanCorpus.Max,
        "elsewhere" => PlanCorpus.Elsewhere,
        "crawler" => PlanCorpus.Crawler,
        _ => Caller.SignedOut,
    };

    private Task<ExecutedPlan> ExplainAsync(string who, DocumentScope scope, string filter, string order, int probeLimit)
    {
        var caller = CallerOf(who);
        return ExplainAsync(caller, QueryCompiler.Page(Query(scope, filter, order), caller, PlanCorpus.Indexed, $"d.id, d.data", 51, null, probeLimit).Statement);
    }

    private async Task<ExecutedPlan> ExplainAsync(Caller caller, Sql statement) => new(await corpus.Database.QueryFirstAsync(
        Context(caller), $"explain (analyze, costs off, timing off, format json) {statement}", static row => row.GetString(0), CancellationToken.None)
        ?? "");

    private static DocumentQuery Query(DocumentScope scope, string filter, string order) => new()
    {
        Collection = PlanCorpus.Collection,
        Scope = scope,
        Filter = QueryReader.Filter(filter, "filter"),
        Order = QueryReader.Order(order, "order_by"),
    };

    private static RequestContext Context(Caller caller) => QueryCorpus.ContextOf(caller);
}
