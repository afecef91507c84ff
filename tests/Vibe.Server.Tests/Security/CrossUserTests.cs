using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Documents;
using Function = Vibe.Documents.V1.Aggregation.Types.Function;
using Kind = Vibe.Documents.V1.FieldIndex.Types.Kind;

namespace Vibe.Server.Tests.Security;

/// <summary>Attacks through the API: one user asks for what is another's in every way there is.</summary>
[Collection(PostgresCollection.Name)]
public sealed class CrossUserTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    [Fact]
    public async Task Another_users_document_never_shows_whatever_the_call()
    {
        var (alice, mallory, collection) = (host.User(), host.User(), host.Collection());
        foreach (var kind in new[] { Kind.Value, Kind.Text })
        {
            await host.Service.ApproveFieldIndex(new() { FieldIndex = new() { Collection = collection, Path = "data.secret", Kind = kind } }, alice.Call());
        }

        await host.BuildAsync();
        var secret = await alice.CreateAsync(collection, """{"secret":"s3cret","n":7}""", key: "k");
        var denied = await alice.CreateAsync(collection, """{"secret":"s3cret","n":8}""", Someone.Acl(["*", "users"], deny: [mallory.Did]));
        var own = await mallory.CreateAsync(collection, """{"secret":"mine","n":1}""", edges:
            [new Edge { Label = "to", Target = secret.Id }, new Edge { Label = "to", Target = denied.Id }]);
        await alice.UpdateAsync(secret.Id, edges: new Edge { Label = "to", Target = own.Id });

        foreach (var id in new[] { secret.Id, denied.Id })
        {
            await Fails(mallory.GetAsync(id));
            await Fails(mallory.UpdateAsync(id, "{}"));
            await Fails(mallory.UpdateAsync(id, "{}", etag: secret.Etag));
            await Fails(mallory.DeleteAsync(id));
            await Fails(mallory.EdgesAsync(id, Direction.Out));
            await Fails(mallory.EdgesAsync(id, Direction.In));
            await Fails(mallory.BatchAsync([new() { Delete = new() { Id = id } }]));
            Assert.Equal([id], (await host.Service.BatchGetDocuments(new() { Ids = { id } }, mallory.Call())).Missing);
        }

        await Fails(host.Service.GetDocument(new() { Collection = collection, Key = "k", Owner = alice.Did }, mallory.Call()));
        foreach (var scope in Enum.GetValues<DocumentScope>())
        {
            foreach (var (filter, order) in new[]
            {
                ("", ""), ("data.secret = \"s3cret\"", ""), ("data.n >= 7", "data.secret"), ($"id = \"{secret.Id}\"", ""), ($"owner = \"{alice.Did}\"", ""),
                ("not data.secret = \"mine\"", "data.secret desc"), ("key = \"k\"", "update_time"), ("data.secret match \"s3cret\"", "data.n"),
            })
            {
                var list = await mallory.ListAsync(collection, scope, filter, order);
                Assert.DoesNotContain(list.Documents, document => document.Owner == alice.Did);
            }
        }

        Assert.Empty((await mallory.SearchAsync(collection, "s3cret")).Documents);
        var sums = await host.Service.AggregateDocuments(
            new()
            {
                Collection = collection, Scope = DocumentScope.All,
                Aggregations = { new Aggregation { Alias = "max", Function = Function.Max, Field = "data.n" }, new Aggregation { Alias = "count", Function = Function.Count } },
            }, mallory.Call());
        Assert.Equal((1d, 1d), (sums.Values["max"].NumberValue, sums.Values["count"].NumberValue));
        Assert.Empty((await mallory.GetAsync(own.Id, "to", "~to", "to.to")).Related);
        Assert.All((await mallory.EdgesAsync(own.Id, Direction.Out, documents: true)).Edges, static edge => Assert.Null(edge.Document));
        Assert.Empty((await mallory.EdgesAsync(own.Id, Direction.In)).Edges);
    }

    [Fact]
    public async Task Writes_do_not_reach_another_users_documents_by_key_id_or_request_id()
    {
        var (alice, mallory, collection) = (host.User(), host.User(), host.Collection());
        var request = Guid.NewGuid().ToString();
        var secret = await alice.CreateAsync(collection, """{"secret":1}""", key: "k", requestId: request);
        var plain = await alice.CreateAsync(collection);
        Assert.Equal("DOCUMENT_ALREADY_EXISTS", (await CallFailure.Of(mallory.UpsertAsync(collection, "{}", id: plain.Id))).Reason);
        await Fails(mallory.UpsertAsync(collection, "{}", id: secret.Id));
        var own = await mallory.UpsertAsync(collection, "{}", key: "k", requestId: request);
        Assert.NotEqual(secret.Id, own.Id);
        Assert.Equal(mallory.Did, own.Owner);
        Assert.Equal(secret, await alice.GetAsync(secret.Id));
    }

    private static async Task Fails(Task call) => Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(call)).Reason);
}
