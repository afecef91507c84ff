using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents;

namespace Vibe.Server.Tests.Documents;

/// <summary>A write with a request id happens once.</summary>
[Collection(PostgresCollection.Name)]
public sealed class RequestIdTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    private readonly string _request = Guid.NewGuid().ToString();

    [Fact]
    public async Task The_same_create_twice_gives_the_document_of_the_first()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var first = await alice.CreateAsync(collection, """{"a":1,"b":2}""", requestId: _request);
        var second = await alice.CreateAsync(collection, """{"b":2,"a":1}""", requestId: _request);
        Assert.Equal(first, second);
        Assert.Single((await alice.ListAsync(collection)).Documents);
    }

    [Fact]
    public async Task Another_request_under_the_same_id_is_refused()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var document = await alice.CreateAsync(collection, """{"a":1}""", requestId: _request);
        Assert.Equal("REQUEST_ID_REUSED", (await CallFailure.Of(alice.CreateAsync(collection, """{"a":2}""", requestId: _request))).Reason);
        Assert.Equal(_request, (await CallFailure.Of(alice.UpdateAsync(document.Id, """{"a":2}""", requestId: _request))).Metadata["requestId"]);
        Assert.Equal("REQUEST_ID_REUSED", (await CallFailure.Of(alice.DeleteAsync(document.Id, requestId: _request))).Reason);
        Assert.Equal("requestId", (await CallFailure.Of(alice.CreateAsync(collection, requestId: "x"))).Field);
        await host.User().CreateAsync(collection, requestId: _request);
    }

    [Fact]
    public async Task Updates_upserts_and_deletes_happen_once()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var document = await alice.CreateAsync(collection, """{"n":1}""");
        var updated = await alice.UpdateAsync(document.Id, """{"n":2}""", etag: document.Etag, requestId: _request);
        Assert.Equal(updated, await alice.UpdateAsync(document.Id, """{"n":2}""", etag: document.Etag, requestId: _request));
        var (upsert, delete) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        var put = await alice.UpsertAsync(collection, "{}", key: "k", requestId: upsert);
        Assert.Equal(put.Revision, (await alice.UpsertAsync(collection, "{}", key: "k", requestId: upsert)).Revision);
        await alice.DeleteAsync(document.Id, requestId: delete);
        await alice.DeleteAsync(document.Id, requestId: delete);
        Assert.NotNull((await alice.UpdateAsync(document.Id, """{"n":2}""", etag: document.Etag, requestId: _request)).DeleteTime);
    }

    [Fact]
    public async Task Requests_that_meet_write_once()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var created = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => alice.CreateAsync(collection, """{"a":1}""", requestId: _request)));
        Assert.Single(created.Select(static document => document.Id).Distinct());
        Assert.Single((await alice.ListAsync(collection)).Documents);
        var id = Guid.NewGuid().ToString();
        var updated = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => alice.UpdateAsync(created[0].Id, """{"n":1}""", requestId: id)));
        Assert.All(updated, static document => Assert.Equal(2, document.Revision));
        var batch = Guid.NewGuid().ToString();
        Write[] writes = [new() { Create = new() { Collection = collection, Data = Someone.Body("{}") } }];
        var batches = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => alice.BatchAsync(writes, batch)));
        Assert.Single(batches.Select(static documents => documents[0].Id).Distinct());
    }

    [Fact]
    public async Task A_failed_request_leaves_its_id_free()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var document = await alice.CreateAsync(collection);
        await CallFailure.Of(alice.UpdateAsync(document.Id, "{}", etag: "r7", requestId: _request));
        await alice.UpdateAsync(document.Id, """{"a":1}""", requestId: _request);
    }

    [Fact]
    public async Task Old_request_ids_are_forgotten()
    {
        var (alice, collection) = (host.User(), host.Collection());
        await alice.CreateAsync(collection, requestId: _request);
        await host.Database.Owner.ExecuteAsync(
            $"update vibe.requests r set create_time = now() - interval '25 hours' where r.caller_did = {alice.Did}", CancellationToken.None);
        await new RequestSweep(host.Database, host.Options).SweepAsync(CancellationToken.None);
        await alice.CreateAsync(collection, requestId: _request);
        Assert.Equal(2, (await alice.ListAsync(collection)).Documents.Count);
    }
}
