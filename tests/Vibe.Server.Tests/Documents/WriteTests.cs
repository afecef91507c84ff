using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Documents;

/// <summary>Create, get, update, upsert, delete of single documents.</summary>
[Collection(PostgresCollection.Name)]
public sealed class WriteTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    [Fact]
    public async Task A_created_document_comes_back_as_it_was_stored()
    {
        var alice = host.User();
        var created = await alice.CreateAsync(host.Collection(), """{"title":"hello","n":1.5,"big":1e300,"list":[1,"a",null,true],"o":{"é":"\u0001"}}""");
        var read = await alice.GetAsync(created.Id);
        Assert.Equal(created, read);
        Assert.Equal(1, read.Revision);
        Assert.NotEmpty(read.Etag);
        Assert.Equal(alice.Did, read.Owner);
        Assert.Equal(DocumentsHost.App, read.App);
        Assert.Equal('7', read.Id[14]);
        using var json = System.Text.Json.JsonDocument.Parse(Someone.Json(read));
        Assert.Equal(1e300, json.RootElement.GetProperty("big").GetDouble());
        Assert.Equal("\u0001", json.RootElement.GetProperty("o").GetProperty("é").GetString());
    }

    [Fact]
    public async Task A_document_with_a_key_is_found_by_owner_collection_and_key_and_has_a_derived_id()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var created = await alice.CreateAsync(collection, """{"a":1}""", Someone.Acl(["*"]), key: "settings");
        await bob.CreateAsync(collection, """{"b":1}""", key: "settings");
        Assert.Equal('8', created.Id[14]);
        var own = await host.Service.GetDocument(new() { Collection = collection, Key = "settings" }, alice.Call());
        var others = await host.Service.GetDocument(new() { Collection = collection, Key = "settings", Owner = alice.Did }, bob.Call());
        Assert.Equal(created, own.Document);
        Assert.Equal(created.Id, others.Document.Id);
        Assert.Equal("settings", others.Document.Key);
        var failure = await CallFailure.Of(alice.CreateAsync(collection, key: "settings"));
        Assert.Equal((StatusCode.AlreadyExists, "DOCUMENT_ALREADY_EXISTS"), (failure.Code, failure.Reason));
    }

    [Fact]
    public async Task A_client_may_choose_the_id_but_not_one_that_belongs_to_a_key()
    {
        var (alice, collection, id) = (host.User(), host.Collection(), Guid.CreateVersion7().ToString());
        Assert.Equal(id, (await alice.CreateAsync(collection, id: id)).Id);
        Assert.Equal("DOCUMENT_ALREADY_EXISTS", (await CallFailure.Of(host.User().CreateAsync(collection, id: id))).Reason);
        var keyed = await alice.CreateAsync(collection, key: "k");
        Assert.Equal("document.id", (await CallFailure.Of(alice.CreateAsync(collection, id: keyed.Id))).Field);
        Assert.Equal("document.id", (await CallFailure.Of(alice.CreateAsync(collection, id: id, key: "k"))).Field);
    }

    [Theory]
    [InlineData("018f0000-0000-7000-8000-00000000000G")]
    [InlineData("018F0000-0000-7000-8000-00000000000A")]
    [InlineData("018f000000007000800000000000000a")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("018f0000-0000-7000-0000-000000000001")]
    public async Task An_id_in_another_form_is_refused(string id) =>
        Assert.Equal("document.id", (await CallFailure.Of(host.User().CreateAsync(host.Collection(), id: id))).Field);

    [Fact]
    public async Task Input_that_breaks_a_rule_names_its_field()
    {
        var (alice, c) = (host.User(), host.Collection());
        Assert.Equal("document.collection", (await CallFailure.Of(alice.CreateAsync("Notes"))).Field);
        Assert.Equal("document.key", (await CallFailure.Of(alice.CreateAsync(c, key: "a\nb"))).Field);
        Assert.Equal("document.key", (await CallFailure.Of(alice.CreateAsync(c, key: new string('é', 129)))).Field);
        Assert.Equal("document.acl.write.allow[0]", (await CallFailure.Of(alice.CreateAsync(c, acl: Someone.Acl(write: ["*"])))).Field);
        Assert.Equal("document.acl.read.deny[1]", (await CallFailure.Of(alice.CreateAsync(c, acl: Someone.Acl(deny: ["did:web:x", "users"])))).Field);
        Assert.Equal("document.acl.read.allow[0]", (await CallFailure.Of(alice.CreateAsync(c, acl: Someone.Acl(["bob"])))).Field);
        Assert.Equal("document.edges[0].label", (await CallFailure.Of(alice.CreateAsync(c, edges: new Edge { Label = "A", Target = Guid.CreateVersion7().ToString() }))).Field);
        Assert.Equal("document.edges[0].target", (await CallFailure.Of(alice.CreateAsync(c, edges: new Edge { Label = "a", Target = "x" }))).Field);
        var edge = new Edge { Label = "a", Target = Guid.CreateVersion7().ToString() };
        Assert.Equal("document.edges[1]", (await CallFailure.Of(alice.CreateAsync(c, edges: [edge, edge]))).Field);
        Assert.Equal("document", (await CallFailure.Of(host.Service.CreateDocument(new(), alice.Call()))).Field);
        Assert.Equal("document.data", (await CallFailure.Of(host.Service.CreateDocument(new() { Document = new() { Collection = c } }, alice.Call()))).Field);
        Assert.StartsWith("document.data", (await CallFailure.Of(host.Service.CreateDocument(
            new() { Document = new() { Collection = c, Data = Google.Protobuf.ByteString.CopyFrom(1, 2, 3) } }, alice.Call()))).Field, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_over_one_mebibyte_is_refused_also_when_merging_makes_it_so()
    {
        var (alice, collection) = (host.User(), host.Collection());
        Assert.Equal("document.data", (await CallFailure.Of(alice.CreateAsync(collection, $$"""{"a":"{{new string('x', 1 << 20)}}"}"""))).Field);
        var half = new string('x', 600_000);
        var document = await alice.CreateAsync(collection, $$"""{"a":"{{half}}"}""");
        Assert.Equal("document.data", (await CallFailure.Of(alice.UpdateAsync(document.Id, $$"""{"b":"{{half}}"}"""))).Field);
        var exact = $$"""{"a":"{{new string('y', (1 << 20) - 8)}}"}""";
        Assert.Equal(1 << 20, exact.Length);
        await alice.CreateAsync(collection, exact);
    }

    [Fact]
    public async Task An_update_without_a_mask_merges_as_RFC_7396_says()
    {
        var alice = host.User();
        var document = await alice.CreateAsync(host.Collection(), """{"a":"b","c":{"d":"e","f":"g"},"l":[1]}""");
        var merged = await alice.UpdateAsync(document.Id, """{"a":"z","c":{"f":null,"n":{"x":null}},"l":[null]}""");
        AssertJson("""{"a":"z","c":{"d":"e","n":{}},"l":[null]}""", merged);
        Assert.Equal(2, merged.Revision);
        Assert.NotEqual(document.Etag, merged.Etag);
        AssertJson("""{"a":"z","c":{"d":"e","n":{}},"l":[null]}""", await alice.GetAsync(document.Id));
    }

    [Fact]
    public async Task An_update_with_a_mask_sets_and_removes_exactly_the_named_paths()
    {
        var alice = host.User();
        var document = await alice.CreateAsync(host.Collection(), """{"a":1,"c":{"d":1,"f":2},"odd key":1,"keep":true}""");
        var updated = await alice.UpdateAsync(
            document.Id, """{"a":2,"c":{"d":null},"ignored":1}""", mask: ["data.a,data.c.d", "data.c.f", "data.`odd key`", "data.x.y"]);
        AssertJson("""{"a":2,"c":{"d":null},"keep":true}""", updated);
        var shared = await alice.UpdateAsync(document.Id, acl: Someone.Acl(["users"]), mask: ["acl", "data"]);
        AssertJson("{}", shared);
        Assert.Equal(["users"], shared.Acl.Read.Allow);
        Assert.Null((await alice.UpdateAsync(document.Id, mask: ["acl"])).Acl);
        Assert.Equal("updateMask[0]", (await CallFailure.Of(alice.UpdateAsync(document.Id, mask: ["owner"]))).Field);
        Assert.Equal("document", (await CallFailure.Of(alice.UpdateAsync(document.Id))).Field);
    }

    [Fact]
    public async Task A_lost_race_is_aborted_and_says_the_current_etag()
    {
        var alice = host.User();
        var document = await alice.CreateAsync(host.Collection(), """{"n":0}""");
        var second = await alice.UpdateAsync(document.Id, """{"n":1}""", etag: document.Etag);
        var failure = await CallFailure.Of(alice.UpdateAsync(document.Id, """{"n":2}""", etag: document.Etag));
        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH"), (failure.Code, failure.Reason));
        Assert.Equal((document.Id, document.Etag, second.Etag), (failure.Metadata["id"], failure.Metadata["etag"], failure.Metadata["currentEtag"]));
        Assert.Equal("ETAG_MISMATCH", (await CallFailure.Of(alice.DeleteAsync(document.Id, etag: "nonsense"))).Reason);
        Assert.Equal("ETAG_MISMATCH", (await CallFailure.Of(alice.UpsertAsync(document.Collection, "{}", id: document.Id, etag: document.Etag))).Reason);
        Assert.Equal("ETAG_MISMATCH", (await CallFailure.Of(alice.UpsertAsync(document.Collection, "{}", key: "none", etag: "r1"))).Reason);
    }

    [Fact]
    public async Task Merges_that_meet_lose_nothing()
    {
        var alice = host.User();
        var document = await alice.CreateAsync(host.Collection());
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => alice.UpdateAsync(document.Id, $$"""{"k{{i}}":{{i}}}""")));
        var result = await alice.GetAsync(document.Id);
        Assert.Equal(21, result.Revision);
        using var json = System.Text.Json.JsonDocument.Parse(Someone.Json(result));
        Assert.Equal(20, json.RootElement.EnumerateObject().Count());
    }

    [Fact]
    public async Task An_upsert_creates_then_replaces_the_body_and_leaves_the_rest()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var first = await alice.UpsertAsync(collection, """{"a":1}""", key: "k", acl: Someone.Acl(["users"]));
        var second = await alice.UpsertAsync(collection, """{"b":2}""", key: "k");
        AssertJson("""{"b":2}""", second);
        Assert.Equal((first.Id, 2L), (second.Id, second.Revision));
        Assert.Equal(["users"], second.Acl.Read.Allow);
        AssertJson("""{"c":3}""", await alice.UpsertAsync(collection, """{"c":3}""", id: first.Id, key: "k", etag: second.Etag));
        AssertJson("""{"d":4}""", await alice.UpsertAsync(collection, """{"d":4}""", id: first.Id));
        Assert.Equal("document.collection", (await CallFailure.Of(alice.UpsertAsync(host.Collection(), "{}", id: first.Id))).Field);
        Assert.Equal("document.id", (await CallFailure.Of(alice.UpsertAsync(collection, "{}"))).Field);
        var byId = Guid.CreateVersion7().ToString();
        Assert.Equal(1, (await alice.UpsertAsync(collection, "{}", id: byId)).Revision);
    }

    [Fact]
    public async Task A_deleted_document_is_gone_and_comes_back_fresh_under_its_old_id()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var document = await alice.CreateAsync(collection, """{"secret":1}""", Someone.Acl([bob.Did]), key: "k",
            edges: new Edge { Label = "a", Target = Guid.CreateVersion7().ToString() });
        await alice.DeleteAsync(document.Id, document.Etag);
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(alice.GetAsync(document.Id))).Reason);
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(bob.GetAsync(document.Id))).Reason);
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(alice.DeleteAsync(document.Id))).Reason);
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(alice.UpdateAsync(document.Id, "{}"))).Reason);
        Assert.Empty((await alice.ListAsync(collection)).Documents);
        var again = await alice.CreateAsync(collection, """{"new":1}""", key: "k");
        Assert.Equal((document.Id, 3L), (again.Id, again.Revision));
        AssertJson("""{"new":1}""", again);
        Assert.Null(again.Acl);
        Assert.Empty(again.Edges);
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(bob.GetAsync(document.Id))).Reason);
        await alice.DeleteAsync(document.Id);
        Assert.Equal(5, (await alice.UpsertAsync(collection, "{}", key: "k")).Revision);
    }

    [Fact]
    public async Task Validate_only_checks_everything_and_writes_nothing()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var would = await alice.CreateAsync(collection, """{"a":1}""", validateOnly: true);
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(alice.GetAsync(would.Id))).Reason);
        var document = await alice.CreateAsync(collection, """{"a":1}""");
        AssertJson("""{"a":2}""", await alice.UpdateAsync(document.Id, """{"a":2}""", validateOnly: true));
        AssertJson("""{"a":1}""", await alice.GetAsync(document.Id));
        Assert.Equal("ETAG_MISMATCH", (await CallFailure.Of(alice.UpdateAsync(document.Id, "{}", etag: "r9", validateOnly: true))).Reason);
        Assert.Equal("DOCUMENT_ALREADY_EXISTS", (await CallFailure.Of(alice.CreateAsync(collection, id: document.Id, validateOnly: true))).Reason);
    }

    [Fact]
    public async Task A_read_mask_cuts_a_document_down()
    {
        var alice = host.User();
        var document = await alice.CreateAsync(host.Collection(), """{"a":{"b":1,"c":2},"d":[1],"e":{"f":3}}""", Someone.Acl(["users"]));
        var cut = (await host.Service.GetDocument(new() { Id = document.Id, ReadMask = { "data.a.b,data.d.x", "data.e.f.g", "key" } }, alice.Call())).Document;
        AssertJson("""{"a":{"b":1},"e":{}}""", cut);
        Assert.Equal((document.Id, document.Owner, document.Etag, document.Revision), (cut.Id, cut.Owner, cut.Etag, cut.Revision));
        Assert.Null(cut.Acl);
        Assert.Null(cut.CreateTime);
        var bare = (await host.Service.GetDocument(new() { Id = document.Id, ReadMask = { "acl" } }, alice.Call())).Document;
        Assert.False(bare.HasData);
        Assert.NotNull(bare.Acl);
        Assert.Equal("readMask[0]", (await CallFailure.Of(host.Service.GetDocument(new() { Id = document.Id, ReadMask = { "nothing" } }, alice.Call()))).Field);
    }

    [Fact]
    public async Task Batch_get_keeps_the_order_and_lists_what_is_missing()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var (a, b, c) = (await alice.CreateAsync(collection), await bob.CreateAsync(collection), await alice.CreateAsync(collection));
        var nothing = Guid.CreateVersion7().ToString();
        var answer = await host.Service.BatchGetDocuments(new() { Ids = { c.Id, b.Id, nothing, a.Id, c.Id } }, alice.Call());
        Assert.Equal([c.Id, a.Id], answer.Documents.Select(static document => document.Id));
        Assert.Equal([b.Id, nothing], answer.Missing);
    }

    internal static void AssertJson(string expected, Document document)
    {
        using var left = System.Text.Json.JsonDocument.Parse(expected);
        using var right = System.Text.Json.JsonDocument.Parse(Someone.Json(document));
        Assert.True(System.Text.Json.JsonElement.DeepEquals(left.RootElement, right.RootElement), $"expected {expected}, got {Someone.Json(document)}");
    }
}
