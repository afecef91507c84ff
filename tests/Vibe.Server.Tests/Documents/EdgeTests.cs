using Vibe.Documents.V1;
using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Documents;

/// <summary>Edges, both ways, and expansion.</summary>
[Collection(PostgresCollection.Name)]
public sealed class EdgeTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    [Fact]
    public async Task Edges_are_listed_in_both_directions_as_far_as_their_documents_may_be_seen()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var post = await alice.CreateAsync(collection, "{}", Someone.Acl(["users"]));
        var first = await bob.CreateAsync(collection, "{}", Someone.Acl(["users"]), edges: To("comment_on", post));
        var hidden = await bob.CreateAsync(collection, "{}", edges: [To("comment_on", post), To("other", post)]);
        var incoming = await alice.EdgesAsync(post.Id, Direction.In, documents: true);
        Assert.Equal([(first.Id, "comment_on", post.Id, first.Id)], incoming.Edges.Select(static edge => (edge.Source, edge.Label, edge.Target, edge.Document.Id)));
        Assert.Equal(3, (await bob.EdgesAsync(post.Id, Direction.In)).Edges.Count);
        Assert.Equal([hidden.Id], (await bob.EdgesAsync(post.Id, Direction.In, "other")).Edges.Select(static edge => edge.Source));
        var outgoing = await alice.EdgesAsync(first.Id, Direction.Out, documents: true);
        Assert.Equal(post.Id, Assert.Single(outgoing.Edges).Document.Id);
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(alice.EdgesAsync(hidden.Id, Direction.Out))).Reason);
        await bob.UpdateAsync(first.Id, mask: ["edges"]);
        Assert.Empty((await alice.EdgesAsync(post.Id, Direction.In)).Edges);
        await bob.DeleteAsync(hidden.Id);
        Assert.Empty((await bob.EdgesAsync(post.Id, Direction.In)).Edges);
    }

    [Fact]
    public async Task Pages_of_edges_give_each_edge_once()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var target = await alice.CreateAsync(collection);
        for (var i = 0; i < 7; i++)
        {
            await alice.CreateAsync(collection, edges: [To("a", target), To("b", target)]);
        }

        List<(string, string)> seen = [];
        for (var token = ""; ;)
        {
            var page = await alice.EdgesAsync(target.Id, Direction.In, pageSize: 3, pageToken: token);
            seen.AddRange(page.Edges.Select(static edge => (edge.Source, edge.Label)));
            token = page.NextPageToken;
            if (token.Length == 0)
            {
                break;
            }
        }

        Assert.Equal(14, seen.Count);
        Assert.Equal(14, seen.Distinct().Count());
        var one = await alice.EdgesAsync(target.Id, Direction.In, pageSize: 3);
        Assert.Equal("PAGE_TOKEN_INVALID", (await CallFailure.Of(alice.EdgesAsync(target.Id, Direction.In, "a", pageSize: 3, pageToken: one.NextPageToken))).Reason);
        Assert.Equal("PAGE_TOKEN_INVALID", (await CallFailure.Of(host.User().EdgesAsync(target.Id, Direction.In, pageSize: 3, pageToken: one.NextPageToken))).Reason);
    }

    [Fact]
    public async Task Expand_follows_paths_forward_and_back_and_stops_where_the_caller_may_not_see()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var author = await alice.CreateAsync(collection, """{"name":"A"}""", Someone.Acl(["*"]));
        var post = await alice.CreateAsync(collection, "{}", Someone.Acl(["*"]), edges: To("author", author));
        var comment = await bob.CreateAsync(collection, "{}", Someone.Acl(["*"]), edges: [To("comment_on", post), To("author", author)]);
        await alice.CreateAsync(collection, "{}", edges: [To("comment_on", post), To("author", author)]);
        var read = await bob.GetAsync(post.Id, "author", "~comment_on.author", "~comment_on.nothing");
        Assert.Equal(["author", "~comment_on"], read.Related.Select(static related => related.Via));
        Assert.Equal(author.Id, read.Related[0].Document.Id);
        Assert.Equal(comment.Id, read.Related[1].Document.Id);
        Assert.Equal(author.Id, Assert.Single(read.Related[1].Document.Related).Document.Id);
        Assert.Equal(2, (await alice.GetAsync(post.Id, "~comment_on")).Related.Count);
        var list = await host.Service.ListDocuments(
            new() { Collection = collection, Scope = DocumentScope.Public, Expand = { "author" } }, host.Visitor().Call());
        Assert.Equal(2, list.Documents.Count(static document => document.Related.Count == 1));
    }

    [Fact]
    public async Task Expand_is_bounded()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var target = await alice.CreateAsync(collection);
        for (var i = 0; i < 25; i++)
        {
            await alice.CreateAsync(collection, edges: To("a", target));
        }

        Assert.Equal(20, (await alice.GetAsync(target.Id, "~a")).Related.Count);
        Assert.Equal("expand[0]", (await CallFailure.Of(alice.GetAsync(target.Id, "a.b.c.d"))).Field);
        Assert.Equal("expand[1]", (await CallFailure.Of(alice.GetAsync(target.Id, "a", "A"))).Field);
        Assert.Equal("expand[0]", (await CallFailure.Of(alice.GetAsync(target.Id, "a..b"))).Field);
    }

    private static Edge To(string label, Document target) => new() { Label = label, Target = target.Id };
}
