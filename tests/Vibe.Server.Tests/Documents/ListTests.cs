using Google.Protobuf.WellKnownTypes;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Function = Vibe.Documents.V1.Aggregation.Types.Function;

namespace Vibe.Server.Tests.Documents;

/// <summary>Lists, queries and aggregates through the service; the language itself is tested beside its compiler.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ListTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    [Fact]
    public async Task Scopes_choose_whose_documents()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var own = await alice.CreateAsync(collection);
        var ownPublic = await alice.CreateAsync(collection, "{}", Someone.Acl(["*"]));
        var shared = await bob.CreateAsync(collection, "{}", Someone.Acl([alice.Did]));
        var users = await bob.CreateAsync(collection, "{}", Someone.Acl(["users"]));
        var open = await bob.CreateAsync(collection, "{}", Someone.Acl(["*"]));
        await bob.CreateAsync(collection);
        await Check(DocumentScope.Own, own, ownPublic);
        await Check(DocumentScope.Unspecified, own, ownPublic);
        await Check(DocumentScope.Shared, shared, users);
        await Check(DocumentScope.Public, ownPublic, open);
        await Check(DocumentScope.All, own, ownPublic, shared, users, open);

        async Task Check(DocumentScope scope, params Document[] expected) => Assert.Equal(
            expected.Select(static document => document.Id).Order(), (await alice.ListAsync(collection, scope)).Documents.Select(static document => document.Id).Order());
    }

    [Fact]
    public async Task A_run_through_all_pages_gives_what_was_there_throughout_exactly_once()
    {
        var (alice, collection) = (host.User(), host.Collection());
        List<string> ids = [];
        for (var i = 0; i < 23; i++)
        {
            ids.Add((await alice.CreateAsync(collection, $$"""{"n":{{i % 4}}}""")).Id);
        }

        List<string> seen = [];
        for (var token = ""; ;)
        {
            var page = await alice.ListAsync(collection, orderBy: "data.n desc", pageSize: 5, pageToken: token);
            seen.AddRange(page.Documents.Select(static document => document.Id));
            await alice.CreateAsync(collection, """{"n":9}""");
            token = page.NextPageToken;
            if (token.Length == 0)
            {
                break;
            }
        }

        Assert.Equal(ids.Order(), seen.Where(ids.Contains).Order());
        Assert.Equal(seen.Count, seen.Distinct().Count());
    }

    [Fact]
    public async Task A_page_token_is_good_for_one_query_of_one_caller()
    {
        var (alice, collection) = (host.User(), host.Collection());
        await alice.CreateAsync(collection);
        await alice.CreateAsync(collection);
        var token = (await alice.ListAsync(collection, pageSize: 1)).NextPageToken;
        Assert.Single((await alice.ListAsync(collection, pageSize: 1, pageToken: token)).Documents);
        Assert.Equal("PAGE_TOKEN_INVALID", (await CallFailure.Of(host.User().ListAsync(collection, pageSize: 1, pageToken: token))).Reason);
        Assert.Equal("PAGE_TOKEN_INVALID", (await CallFailure.Of(alice.ListAsync(collection, DocumentScope.Own, pageSize: 1, pageToken: token))).Reason);
        Assert.Equal("PAGE_TOKEN_INVALID", (await CallFailure.Of(alice.ListAsync(collection, filter: "data.a = 1", pageSize: 1, pageToken: token))).Reason);
        Assert.Equal("filter", (await CallFailure.Of(alice.ListAsync(collection, filter: "data.a ="))).Field);
        Assert.Equal("collection", (await CallFailure.Of(alice.ListAsync(""))).Field);
    }

    [Fact]
    public async Task Queries_and_aggregates_take_messages()
    {
        var (alice, collection) = (host.User(), host.Collection());
        for (var i = 1; i <= 4; i++)
        {
            await alice.CreateAsync(collection, $$"""{"n":{{i}}}""");
        }

        await host.User().CreateAsync(collection, """{"n":100}""");
        var filter = new Filter { Compare = new() { Field = "data.n", Op = Operator.Gt, Value = Value.ForNumber(1) } };
        var found = await host.Service.QueryDocuments(
            new() { Collection = collection, Filter = filter, OrderBy = { new OrderBy { Field = "data.n", Descending = true } }, ReadMask = { "data" } }, alice.Call());
        Assert.Equal(["""{"n":4}""", """{"n":3}""", """{"n":2}"""], found.Documents.Select(Someone.Json));
        var numbers = await host.Service.AggregateDocuments(
            new()
            {
                Collection = collection,
                Filter = filter,
                Scope = DocumentScope.All,
                Aggregations =
                {
                    new Aggregation { Alias = "count", Function = Function.Count },
                    new Aggregation { Alias = "sum", Function = Function.Sum, Field = "data.n" },
                    new Aggregation { Alias = "max", Function = Function.Max, Field = "data.n" },
                },
            }, alice.Call());
        Assert.Equal((3d, 9d, 4d), (numbers.Values["count"].NumberValue, numbers.Values["sum"].NumberValue, numbers.Values["max"].NumberValue));
        Assert.False(numbers.Capped);
    }
}
