using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Documents;

/// <summary>All writes of a batch, in order, or none.</summary>
[Collection(PostgresCollection.Name)]
public sealed class BatchWriteTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    [Fact]
    public async Task A_batch_writes_in_order_and_returns_every_document_as_it_was_then()
    {
        var (alice, collection, id) = (host.User(), host.Collection(), Guid.CreateVersion7().ToString());
        var documents = await alice.BatchAsync([
            Create(collection, """{"n":1}""", id),
            Update(id, """{"m":2}"""),
            new() { Upsert = new() { Collection = collection, Key = "k", Data = Someone.Body("""{"k":1}""") } },
            new() { Delete = new() { Id = id }, Etag = "r2" },
        ]);
        Assert.Equal([1L, 2L, 1L, 3L], documents.Select(static document => document.Revision));
        WriteTests.AssertJson("""{"n":1,"m":2}""", documents[1]);
        Assert.NotNull(documents[3].DeleteTime);
        Assert.Equal([documents[2].Id], (await alice.ListAsync(collection)).Documents.Select(static document => document.Id));
    }

    [Fact]
    public async Task One_failing_write_undoes_all_and_is_named()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var hidden = await bob.CreateAsync(collection);
        var open = await bob.CreateAsync(collection, "{}", Someone.Acl(["*"]));
        await Fails("DOCUMENT_NOT_FOUND", Update(hidden.Id, "{}"));
        await Fails("DOCUMENT_READ_ONLY", Update(open.Id, "{}"));
        await Fails("DOCUMENT_ALREADY_EXISTS", Create(collection, "{}", hidden.Id));
        await Fails("ETAG_MISMATCH", new Write { Upsert = new() { Collection = collection, Key = "k", Data = Someone.Body("{}") }, Etag = "r1" });
        await Fails("PRECONDITION_FAILED", new Write { Upsert = new() { Collection = collection, Key = "k", Data = Someone.Body("{}") }, Exists = true });
        await Fails("PRECONDITION_FAILED", new Write { Delete = new() { Id = Guid.CreateVersion7().ToString() }, Exists = true });
        await Fails("SCOPE_REQUIRED", Create("elsewhere", "{}", ""));
        var large = $$"""{"a":"{{new string('x', 600_000)}}"}""";
        var id = Guid.CreateVersion7().ToString();
        var tooLarge = await CallFailure.Of(alice.BatchAsync([Create(collection, large, id), Update(id, large.Replace("\"a\"", "\"b\"", StringComparison.Ordinal))]));
        Assert.Equal("writes[1].update.document.data", tooLarge.Field);
        Assert.Empty((await alice.ListAsync(collection, DocumentScope.Own)).Documents);

        async Task Fails(string reason, Write write)
        {
            var failure = await CallFailure.Of(alice.With($"documents:{collection}:write").BatchAsync([Create(collection, "{}", ""), write]));
            Assert.Equal((reason, "1"), (failure.Reason, failure.Metadata["index"]));
        }
    }

    [Fact]
    public async Task Preconditions_hold_or_fail()
    {
        var (alice, collection) = (host.User(), host.Collection());
        Write upsert = new() { Upsert = new() { Collection = collection, Key = "k", Data = Someone.Body("{}") }, Exists = false };
        await alice.BatchAsync([upsert]);
        var failure = await CallFailure.Of(alice.BatchAsync([upsert]));
        Assert.Equal((StatusCode.FailedPrecondition, "PRECONDITION_FAILED"), (failure.Code, failure.Reason));
        Write again = new() { Upsert = upsert.Upsert, Exists = true };
        Assert.Equal(2, (await alice.BatchAsync([again]))[0].Revision);
        Assert.Equal("writes[0]", (await CallFailure.Of(alice.BatchAsync([new() { Create = new() { Collection = collection }, Exists = false }]))).Field);
        Assert.Equal("writes[0]", (await CallFailure.Of(alice.BatchAsync([new()]))).Field);
        Assert.Equal("writes", (await CallFailure.Of(alice.BatchAsync([]))).Field);
    }

    [Fact]
    public async Task A_repeated_batch_gives_the_documents_of_the_first()
    {
        var (alice, collection, request) = (host.User(), host.Collection(), Guid.NewGuid().ToString());
        Write[] writes = [Create(collection, """{"n":1}""", ""), Create(collection, """{"n":2}""", "")];
        var first = await alice.BatchAsync(writes, request);
        Assert.Equal(first, await alice.BatchAsync(writes, request));
        Assert.Equal("REQUEST_ID_REUSED", (await CallFailure.Of(alice.BatchAsync(writes.Reverse(), request))).Reason);
        await alice.BatchAsync(writes, validateOnly: true);
        Assert.Equal(2, (await alice.ListAsync(collection)).Documents.Count);
    }

    [Fact]
    public async Task Batches_that_cross_each_other_all_succeed()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var a = await alice.CreateAsync(collection, """{"n":0}""");
        var b = await alice.CreateAsync(collection, """{"n":0}""");
        await Task.WhenAll(Enumerable.Range(0, 2).Select(i => alice.BatchAsync(
            i == 0 ? [Update(a.Id, """{"x":1}"""), Update(b.Id, """{"x":1}""")] : [Update(b.Id, """{"y":1}"""), Update(a.Id, """{"y":1}""")])));
        WriteTests.AssertJson("""{"n":0,"x":1,"y":1}""", await alice.GetAsync(a.Id));
        WriteTests.AssertJson("""{"n":0,"x":1,"y":1}""", await alice.GetAsync(b.Id));
    }

    private static Write Create(string collection, string json, string id) =>
        new() { Create = new() { Collection = collection, Data = Someone.Body(json), Id = id } };

    private static Write Update(string id, string json) => new() { Update = new() { Document = new() { Id = id, Data = Someone.Body(json) } } };
}
