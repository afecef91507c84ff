using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;
using Function = Vibe.Documents.V1.Aggregation.Types.Function;

namespace Vibe.Server.Tests.Documents.Queries;

[Collection(PostgresCollection.Name)]
public sealed class QueryCompilerTests(QueryCorpus corpus) : IClassFixture<QueryCorpus>
{
    private static readonly ImmutableArray<IndexedFields> Indexes = QueryCorpus.Single.AddRange(QueryCorpus.Composite);
    private static readonly ImmutableArray<ImmutableArray<IndexedFields>> IndexSets = [Indexes, [], QueryCorpus.Composite, QueryCorpus.Single];

    [Fact]
    public async Task Pages_put_together_are_exactly_what_the_caller_may_read_in_order()
    {
        var found = 0;
        for (var i = 0; i < 300; i++)
        {
            var query = RandomQuery();
            var caller = corpus.Random.Pick(QueryCorpus.Callers);
            var indexes = IndexSets[i % 4];
            var expected = Expected(query, caller).ToList();
            var probeLimit = i % 3 == 0 ? FieldPlan.UsualProbeLimit : corpus.Random.Next(30);
            var actual = await AllPagesAsync(query, caller, indexes, pageSize: 1 + corpus.Random.Next(40), probeLimit);

            Assert.True(
                expected.SequenceEqual(actual),
                $"{query.Scope} {FilterPrinter.Print(query.Filter)} by {query.Order} for {caller.Did}, {expected.Count} expected, {actual.Count} found\n"
                + QueryCompiler.Page(query, caller, indexes, $"d.id", 10, null).Statement);
            found += expected.Count;
        }

        Assert.True(found > 2000, $"only {found} documents found in all");
    }

    [Fact]
    public async Task A_place_read_from_a_row_is_the_place_of_the_document()
    {
        for (var i = 0; i < 100; i++)
        {
            var query = RandomQuery() with { Scope = DocumentScope.Own, Filter = FilterNode.True };
            var compiled = QueryCompiler.Page(query, QueryCorpus.Alice, Indexes, $"d.id, d.revision", 20, after: null);
            var rows = await RunAsync(compiled, QueryCorpus.Alice, row => (Id: row.GetGuid(0), Place: compiled.ReadPlace(row, 2)));
            foreach (var (id, place) in rows)
            {
                var expected = query.Order.PlaceOf(corpus.Documents.First(document => document.View.Id == id).View);

                Assert.Equal<OrderValue>(expected.Values, place.Values);
                Assert.Equal(expected.Id, place.Id);
                Assert.Equal<OrderValue>(place.Values, PlaceBytes.Read(query.Order, PlaceBytes.Write(place)).Values);
            }
        }
    }

    // What the policy of the entries rests on: each is as its document is, and whoever sees it sees the document.
    [Fact]
    public async Task Entries_agree_with_their_documents_and_show_to_nobody_else()
    {
        var wrong = await corpus.Database.Admin.QueryAsync(
            $"""
            select coalesce(f.doc_id, d.id)::text from vibe.doc_fields f
            full join (select d.*, i.path, vibe.field_group(d.data, i.group_keys) as grp from vibe.documents d join vibe.field_index i using (collection)
              where d.delete_time is null) d
              on d.id = f.doc_id and d.path = f.path
            where (f.collection, f.grp, f.owner_did, f.audience, f.create_time, f.denied) is distinct from (d.collection, d.grp, d.owner_did, d.audience, d.create_time, d.denied)
            """,
            static row => row.GetString(0), CancellationToken.None);
        Assert.Empty(wrong);
        var wronglyShared = await corpus.Database.Admin.QueryAsync(
            $"""
            select coalesce(s.doc_id, f.doc_id)::text from vibe.share_fields s
            full join (select f.*, p.principal from vibe.doc_fields f join vibe.documents d on d.id = f.doc_id, unnest(vibe.shares(d)) p(principal)) f
              on f.doc_id = s.doc_id and f.path = s.path and f.principal = s.principal
            where (s.collection, s.grp, s.rank, s.num, s.str, s.create_time, s.denied)
              is distinct from (f.collection, f.grp, f.rank, f.num, f.str, f.create_time, f.denied)
            """,
            static row => row.GetString(0), CancellationToken.None);
        Assert.Empty(wronglyShared);
        foreach (var caller in QueryCorpus.Callers)
        {
            foreach (var scope in new[] { "documents:*:read", $"documents:{QueryCorpus.Collection}:read", "documents:elsewhere:read", "" })
            {
                var context = QueryCorpus.ContextOf(caller with { Scopes = Scopes.Parse(scope) });
                var entries = await corpus.Database.QueryAsync(context, $"select f.doc_id from vibe.doc_fields f union select s.doc_id from vibe.share_fields s", static row => row.GetGuid(0), CancellationToken.None);
                var documents = await corpus.Database.QueryAsync(
                    context, $"select d.id from vibe.documents d where d.delete_time is null", static row => row.GetGuid(0), CancellationToken.None);
                Assert.NotEmpty(entries);
                Assert.Empty(entries.Except(documents));
            }
        }
    }

    // The index that is walked, then those whose matches are read first in case they are few.
    [Theory]
    [InlineData("data.a = 1", "create_time", "data.a")]
    [InlineData("data.a = 1 and data.b > 1", "", "data.a, data.b")]
    [InlineData("data.a > 1 and data.b = 1", "", "data.b, data.a")]
    [InlineData("data.a > 1", "data.b", "data.b, data.a")]
    [InlineData("data.b > 1 and data.a = 1", "data.b", "data.b, data.a")]
    [InlineData("", "data.b desc", "data.b")]
    [InlineData("data.a > 1", "", "data.a")]
    [InlineData("data.a in [1, 2]", "", "data.a")]
    [InlineData("data.a > 1 and data.b = 1", "update_time", "data.b")]
    [InlineData("data.a = 1 or data.b = 1", "", "")]
    [InlineData("data.a != 1", "", "")]
    [InlineData("data.c = 1", "data.c", "")]
    [InlineData("data.a in [1, 'x']", "", "")]
    public void Indexes_are_used_where_they_help(string filter, string order, string fields) =>
        Assert.Equal(fields, string.Join(", ", QueryCompiler.Page(Query(filter, order), QueryCorpus.Alice, QueryCorpus.Single, $"d.id", 51, null).Fields));

    // A composite index when the filter fixes all fields before its last; what it leaves out need not be tried first.
    [Theory]
    [InlineData("data.a = 1", "data.b", "data.a, data.b")]
    [InlineData("data.a = 1 and data.b > 1", "data.b desc", "data.a, data.b")]
    [InlineData("data.a = 1 and data.b > 1", "", "data.a|data.a, data.b")]
    [InlineData("data.a > 1 and data.b = 1", "", "data.b|data.b, data.a")]
    [InlineData("data.a = 1 and data.b = 1", "", "data.a, data.b")]
    [InlineData("data.a = 1", "", "data.a")]
    [InlineData("data.a in [1, 2]", "data.b", "data.b|data.a")]
    [InlineData("data.`odd key` = 'x' and data.c = true", "data.b", "data.`odd key`, data.c, data.b")]
    [InlineData("data.`odd key` = 'x'", "data.b", "data.b|data.`odd key`")]
    [InlineData("data.a.b = 1 and data.a = 2", "data.c", "data.a, data.a.b, data.c")]
    [InlineData("data.a = 1 and data.`odd key` = 1", "data.b", "data.a, data.b|data.`odd key`")]
    [InlineData("data.a = 1 and data.b starts_with 'x'", "update_time", "data.a, data.b")]
    [InlineData("data.a = 1 or data.b = 1", "data.b", "data.b")]
    public void Composite_indexes_are_used_where_they_help(string filter, string order, string fields) =>
        Assert.Equal(fields, string.Join('|', QueryCompiler.Page(Query(filter, order), QueryCorpus.Alice, Indexes, $"d.id", 51, null).Fields));

    // What the compiler asks for is what the projection entered, for every kind of value; and no two values share a group.
    [Fact]
    public async Task Groups_are_those_of_the_values()
    {
        JsonScalar[] values =
        [
            JsonScalar.Null, JsonScalar.Of(true), JsonScalar.Of(false), .. RandomQueries.Numbers.Select(JsonScalar.Of), .. RandomQueries.Texts.Select(JsonScalar.Of),
            JsonScalar.Of(new string('y', 30)), JsonScalar.Of("1:1"), JsonScalar.Of(new string('é', 31)), JsonScalar.Of(new string('é', 30)),
        ];
        Dictionary<string, (string, string)> exact = [];
        foreach (var (one, two) in values.SelectMany(one => Enumerable.Range(0, 6).Select(_ => (one, corpus.Random.Pick(values)))))
        {
            var (text, isExact) = FieldGroup.Of([one, two]);
            var body = JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["a"] = Node(one), ["b"] = new JsonObject { ["c"] = Node(two) } });
            var written = await corpus.Database.QueryFirstAsync(
                QueryCorpus.ContextOf(QueryCorpus.Alice), $"select vibe.field_group({body}, {(string?[])["a", null, "b", "c", null]})",
                static row => row.GetString(0), CancellationToken.None);
            var pair = (Node(one)?.ToJsonString() ?? "null", Node(two)?.ToJsonString() ?? "null");

            Assert.Equal(text, written);
            Assert.True(Encoding.UTF8.GetByteCount(text) <= 64, text);
            Assert.True(!isExact || exact.TryAdd(text, pair) || exact[text] == pair, text);
        }

        static JsonNode? Node(JsonScalar value) => value.Kind switch
        {
            ScalarKind.Null => null,
            ScalarKind.Bool => JsonValue.Create(value.Bool),
            ScalarKind.Number => JsonValue.Create(value.Number),
            _ => JsonValue.Create(value.Text),
        };
    }

    [Fact]
    public async Task Aggregates_are_those_of_the_documents_the_query_finds()
    {
        ImmutableArray<AggregateColumn> columns =
        [
            new("n", Function.Count, null),
            new("with_a", Function.Count, FieldPath.Of("data", ["a"])),
            new("sum", Function.Sum, FieldPath.Of("revision", [])),
            new("avg", Function.Avg, FieldPath.Of("revision", [])),
            new("min", Function.Min, FieldPath.Of("data", ["b"])),
            new("max", Function.Max, FieldPath.Of("data", ["b"])),
            new("newest", Function.Max, FieldPath.CreateTime),
        ];
        for (var i = 0; i < 60; i++)
        {
            var query = RandomQuery();
            var caller = corpus.Random.Pick(QueryCorpus.Callers);
            var expected = Expected(query, caller).Select(id => corpus.Documents.First(document => document.View.Id == id).View).ToList();
            var compiled = AggregateCompiler.Compile(query, columns, caller, IndexSets[i % 4]);
            var (json, capped) = await corpus.Database.QueryFirstAsync(
                QueryCorpus.ContextOf(caller), compiled.Statement, static row => (row.GetJson(0), row.GetBoolean(1)), CancellationToken.None);
            var values = compiled.ReadValues(json).ToDictionary();

            Assert.False(capped);
            var count = AggregateCompiler.Compile(query, columns[..1], caller, Indexes);
            var counted = await corpus.Database.QueryFirstAsync(
                QueryCorpus.ContextOf(caller), count.Statement, static row => row.GetJson(0), CancellationToken.None);
            Assert.Equal(expected.Count, count.ReadValues(counted).Single().Value.NumberValue);
            Assert.Equal(expected.Count, values["n"].NumberValue);
            Assert.Equal(expected.Count(document => document.TryGet(columns[1].Field!, out _)), values["with_a"].NumberValue);
            Assert.Equal(expected.Sum(document => document.Revision), values["sum"].NumberValue);
            AssertExtremes(expected, columns[4].Field!, values["min"], values["max"]);
            if (expected.Count > 0)
            {
                Assert.Equal(expected.Average(document => document.Revision), values["avg"].NumberValue, 12);
                Assert.Equal(expected.Max(document => document.CreateTime), TimeText.Parse(values["newest"].StringValue));
            }
        }
    }

    [Fact]
    public async Task Sums_beyond_the_range_of_a_double_are_no_error()
    {
        ImmutableArray<AggregateColumn> columns = [new("sum", Function.Sum, FieldPath.Of("data", ["huge"]))];
        var batch = corpus.Database.CreateBatch(QueryCorpus.ContextOf(QueryCorpus.Alice), Access.Write);
        for (var i = 0; i < 2; i++)
        {
            batch.Execute($$"""
                insert into vibe.documents (id, collection, owner_did, data)
                values ({{Guid.CreateVersion7()}}, 'huge', {{QueryCorpus.Alice.Did}}, '{"huge": 1.7e308}')
                """);
        }

        await batch.RunAsync(CancellationToken.None);
        var compiled = AggregateCompiler.Compile(new DocumentQuery { Collection = "huge" }, columns, QueryCorpus.Alice, []);
        var json = await corpus.Database.QueryFirstAsync(
            QueryCorpus.ContextOf(QueryCorpus.Alice), compiled.Statement, static row => row.GetJson(0), CancellationToken.None);

        Assert.Equal(double.MaxValue, compiled.ReadValues(json).Single().Value.NumberValue);
    }

    private static DocumentQuery Query(string filter, string order) => new()
    {
        Collection = QueryCorpus.Collection,
        Filter = QueryReader.Filter(filter, "filter"),
        Order = QueryReader.Order(order, "order_by"),
    };

    private DocumentQuery RandomQuery()
    {
        var random = corpus.Random;
        var composite = random.Next(2) == 0 ? random.Pick(QueryCorpus.Composite) : null;
        FilterNode filter = random.Next(4) switch
        {
            _ when composite is not null => new AndNode([.. Equalities(composite), random.Next(2) == 0 ? random.Compare(composite.Last) : FilterNode.True, .. random.Next(4) == 0 ? [random.Filter(1)] : (FilterNode[])[]]),
            0 => FilterNode.True,
            1 => random.Filter(),
            2 => new AndNode([ComparisonRules.Compare(FieldPath.Of("owner", []), Operator.Eq, JsonScalar.Of(random.Pick(QueryCorpus.Callers).Did ?? "x")), random.Filter(1)]),
            _ => new AndNode([random.Compare(random.Pick(QueryCorpus.Single).Last), random.Filter(1)]),
        };
        return new DocumentQuery
        {
            Collection = QueryCorpus.Collection,
            Scope = (DocumentScope)random.Next(5),
            Filter = FilterForm.Canonical(filter),
            Order = composite is null || random.Next(3) == 0 ? random.Order() : DocumentOrder.Of([new OrderKey(composite.Last, random.Next(2) == 0)]),
        };
    }

    // As one of the documents has them, so that some are found.
    private IEnumerable<FilterNode> Equalities(IndexedFields composite)
    {
        var known = corpus.Random.Pick(corpus.Documents).View;
        return composite.Equal.Select(field => ComparisonRules.Compare(field, Operator.Eq, known.TryGet(field, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.True or JsonValueKind.False => JsonScalar.Of(value.GetBoolean()),
                JsonValueKind.Number => JsonScalar.Of(value.GetDouble()),
                JsonValueKind.String => JsonScalar.Of(value.GetString()!),
                _ => JsonScalar.Null,
            }
            : JsonScalar.Null));
    }

    private IEnumerable<Guid> Expected(DocumentQuery query, Caller caller)
    {
        bool InScope(QueryCorpus.Known document)
        {
            var own = document.View.Owner == caller.Did;
            return query.Scope switch
            {
                DocumentScope.Unspecified => caller.IsSignedIn ? own : document.Audience == 2,
                DocumentScope.Own => own,
                DocumentScope.Shared => caller.IsSignedIn && !own && document.Audience < 2,
                DocumentScope.Public => document.Audience == 2,
                _ => true,
            };
        }

        return corpus.Documents
            .Where(document => InScope(document) && QueryCorpus.MayRead(caller, document) && query.Filter.Matches(document.View))
            .Select(document => query.Order.PlaceOf(document.View))
            .Order(Comparer<Place>.Create(query.Order.Compare))
            .Select(place => place.Id);
    }

    private async Task<List<Guid>> AllPagesAsync(DocumentQuery query, Caller caller, ImmutableArray<IndexedFields> indexes, int pageSize, int probeLimit)
    {
        List<Guid> all = [];
        for (Place? after = null; ;)
        {
            var compiled = QueryCompiler.Page(query, caller, indexes, $"d.id", pageSize, after, probeLimit);
            var page = await RunAsync(compiled, caller, row => compiled.ReadPlace(row, 1));
            all.AddRange(page.Select(place => place.Id));
            if (page.Count < pageSize)
            {
                return all;
            }

            after = PlaceBytes.Read(query.Order, PlaceBytes.Write(page[^1]));
        }
    }

    private async Task<IReadOnlyList<T>> RunAsync<T>(CompiledQuery compiled, Caller caller, Func<Row, T> read) =>
        await corpus.Database.QueryAsync(QueryCorpus.ContextOf(caller), compiled.Statement, read, CancellationToken.None);

    private static void AssertExtremes(
        List<DocumentView> documents, FieldPath field, Google.Protobuf.WellKnownTypes.Value min, Google.Protobuf.WellKnownTypes.Value max)
    {
        var order = DocumentOrder.Of([new OrderKey(field, false)]);
        var ranked = documents.Select(document => order.PlaceOf(document).Values[0]).Where(value => value.Rank != OrderRank.Other)
            .Order(Comparer<OrderValue>.Create((left, right) => OrderValue.Compare(left, right))).ToList();
        Assert.Equal(ranked.Count == 0 ? default(OrderValue?) : ranked[0], Ranked(min));
        Assert.Equal(ranked.Count == 0 ? default(OrderValue?) : ranked[^1], Ranked(max));
    }

    private static OrderValue? Ranked(Google.Protobuf.WellKnownTypes.Value value) => value.KindCase switch
    {
        Google.Protobuf.WellKnownTypes.Value.KindOneofCase.BoolValue => new(value.BoolValue ? OrderRank.True : OrderRank.False, 0, 0, ""),
        Google.Protobuf.WellKnownTypes.Value.KindOneofCase.NumberValue => new(OrderRank.Number, value.NumberValue, 0, ""),
        Google.Protobuf.WellKnownTypes.Value.KindOneofCase.StringValue => new(OrderRank.Text, 0, 0, CodePoints.Take(value.StringValue, 500)),
        _ => null,
    };
}
