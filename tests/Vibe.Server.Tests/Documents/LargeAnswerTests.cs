using Vibe.Documents.V1;
using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Documents;

/// <summary>What a call may ask for is bounded in bytes, not only in documents.</summary>
[Collection(PostgresCollection.Name)]
public sealed class LargeAnswerTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    private static readonly string Large = $$"""{"text":"{{new string('x', 1000 * 1024)}}"}""";

    [Fact]
    public async Task A_page_of_large_documents_ends_early_and_the_next_one_goes_on()
    {
        var (alice, collection) = (host.User(), host.Collection());
        List<string> ids = [];
        for (var i = 0; i < 7; i++)
        {
            ids.Add((await alice.CreateAsync(collection, Large)).Id);
        }

        List<int> sizes = [];
        List<string> found = [];
        var token = "";
        do
        {
            var page = await host.Service.ListDocuments(new() { Collection = collection, PageSize = 1000, PageToken = token }, alice.Call());
            sizes.Add(page.Documents.Count);
            found.AddRange(page.Documents.Select(static document => document.Id));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.Equal([5, 2], sizes);
        Assert.Equal(ids.Order(), found.Order());
    }

    [Fact]
    public async Task A_page_of_edges_with_large_documents_ends_early_and_the_next_one_goes_on()
    {
        var (alice, collection) = (host.User(), host.Collection());
        List<Edge> edges = [];
        for (var i = 0; i < 6; i++)
        {
            edges.Add(new Edge { Label = "to", Target = (await alice.CreateAsync(collection, Large)).Id });
        }

        var source = await alice.CreateAsync(collection, edges: [.. edges]);
        var first = await host.Service.ListEdges(new() { Id = source.Id, IncludeDocuments = true, PageSize = 1000 }, alice.Call());
        var second = await host.Service.ListEdges(
            new() { Id = source.Id, IncludeDocuments = true, PageSize = 1000, PageToken = first.NextPageToken }, alice.Call());
        Assert.Equal((5, 1, ""), (first.Edges.Count, second.Edges.Count, second.NextPageToken));
        Assert.Equal(edges.Select(static edge => edge.Target).Order(), first.Edges.Concat(second.Edges).Select(static entry => entry.Target).Order());
    }

    [Fact]
    public async Task Documents_by_id_come_up_to_16_MiB_at_a_time()
    {
        var (alice, collection) = (host.User(), host.Collection());
        List<string> ids = [];
        for (var i = 0; i < 17; i++)
        {
            ids.Add((await alice.CreateAsync(collection, Large)).Id);
        }

        var failure = await CallFailure.Of(host.Service.BatchGetDocuments(new() { Ids = { ids } }, alice.Call()));
        Assert.Equal("INVALID_ARGUMENT", failure.Reason);
        Assert.Equal(16, (await host.Service.BatchGetDocuments(new() { Ids = { ids.Take(16) } }, alice.Call())).Documents.Count);
    }
}
