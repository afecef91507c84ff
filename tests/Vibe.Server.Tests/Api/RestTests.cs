using System.Net;
using System.Text.Json.Nodes;
using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Api;

/// <summary>The documents API over REST, as a newcomer types it.</summary>
[Collection(PostgresCollection.Name)]
public sealed class RestTests(ApiHost host) : IClassFixture<ApiHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task A_note_is_posted_and_read_back()
    {
        var alice = _server.User();
        var created = (await alice.PostAsync("/v1/documents", """{"collection":"notes","data":{"title":"hello"}}""")).Ok();
        Assert.True(Guid.TryParse((string?)created["id"], out _));
        Assert.Equal(
            ("notes", alice.Did, "1", "hello"),
            ((string?)created["collection"], (string?)created["owner"], (string?)created["revision"], (string?)created["data"]!["title"]));
        Assert.NotNull((string?)created["etag"]);
        Assert.NotNull((string?)created["createTime"]);

        var read = (await alice.GetAsync($"/v1/documents/{created["id"]}")).Ok();
        Assert.True(JsonNode.DeepEquals(created, read), read.ToJsonString());
    }

    [Fact]
    public async Task A_document_that_is_not_there_is_404()
    {
        var id = Guid.CreateVersion7();
        var error = (await _server.User().GetAsync($"/v1/documents/{id}")).Fails(HttpStatusCode.NotFound, "NOT_FOUND", "DOCUMENT_NOT_FOUND");
        Assert.Equal((404, $"{id}"), ((int?)error["code"], (string?)error["details"]![0]!["metadata"]!["id"]));
    }

    [Fact]
    public async Task Patch_merges_and_with_a_mask_sets_exactly_the_named_paths()
    {
        var alice = _server.User();
        var id = (await alice.CreateAsync("""{"collection":"notes","data":{"a":1,"b":{"c":2,"d":3}}}"""))["id"];
        var merged = (await alice.PatchAsync($"/v1/documents/{id}", """{"data":{"a":null,"b":{"c":9}}}""")).Ok();
        Assert.Equal("""{"b":{"c":9,"d":3}}""", merged["data"]!.ToJsonString());
        var masked = (await alice.PatchAsync($"/v1/documents/{id}?update_mask=data.b.d,data.e", """{"data":{"b":{"c":0},"e":"new"}}""")).Ok();
        Assert.Equal("""{"b":{"c":9},"e":"new"}""", masked["data"]!.ToJsonString());
        Assert.Equal("3", (string?)masked["revision"]);
        Assert.NotEqual((string?)merged["etag"], (string?)masked["etag"]);
    }

    [Fact]
    public async Task Put_creates_and_replaces_by_id_and_by_key()
    {
        var alice = _server.User();
        var id = Guid.CreateVersion7();
        Assert.Equal("1", (string?)(await alice.PutAsync($"/v1/documents/{id}", """{"collection":"notes","data":{"a":1,"b":2}}""")).Ok()["revision"]);
        var replaced = (await alice.PutAsync($"/v1/documents/{id}", """{"collection":"notes","data":{"c":3}}""")).Ok();
        Assert.Equal((id.ToString(), """{"c":3}"""), ((string?)replaced["id"], replaced["data"]!.ToJsonString()));

        var keyed = (await alice.PutAsync("/v1/documents/settings/theme", """{"data":{"dark":true}}""")).Ok();
        Assert.Equal(("settings", "theme"), ((string?)keyed["collection"], (string?)keyed["key"]));
        var read = (await alice.GetAsync("/v1/documents/settings/theme")).Ok();
        Assert.True(JsonNode.DeepEquals(keyed, read), read.ToJsonString());
    }

    [Fact]
    public async Task Delete_answers_with_an_empty_object_and_then_the_document_is_gone()
    {
        var alice = _server.User();
        var id = (await alice.CreateAsync("""{"collection":"notes","data":{}}"""))["id"];
        Assert.Equal("{}", (await alice.DeleteAsync($"/v1/documents/{id}")).Ok().ToJsonString());
        (await alice.GetAsync($"/v1/documents/{id}")).Fails(HttpStatusCode.NotFound, "NOT_FOUND", "DOCUMENT_NOT_FOUND");
        (await alice.DeleteAsync($"/v1/documents/{id}")).Fails(HttpStatusCode.NotFound, "NOT_FOUND", "DOCUMENT_NOT_FOUND");
    }

    [Fact]
    public async Task An_etag_lets_only_the_first_of_two_writers_through()
    {
        var alice = _server.User();
        var created = await alice.CreateAsync("""{"collection":"notes","data":{}}""");
        var path = $"/v1/documents/{created["id"]}?etag={created["etag"]}";
        (await alice.PatchAsync(path, """{"data":{"n":1}}""")).Ok();
        var lost = (await alice.PatchAsync(path, """{"data":{"n":2}}""")).Fails(HttpStatusCode.Conflict, "ABORTED", "ETAG_MISMATCH");
        var current = (await alice.GetAsync($"/v1/documents/{created["id"]}")).Ok();
        Assert.Equal((string?)current["etag"], (string?)lost["details"]![0]!["metadata"]!["currentEtag"]);
        Assert.Equal("""{"n":1}""", current["data"]!.ToJsonString());
    }

    [Fact]
    public async Task Query_takes_the_condition_as_a_message()
    {
        var alice = _server.User();
        var collection = _server.Collection();
        foreach (var age in (int[])[17, 18, 40])
        {
            await alice.CreateAsync($$$$"""{"collection":"{{{{collection}}}}","data":{"age":{{{{age}}}}}}""");
        }

        var answer = (await alice.PostAsync("/v1/documents:query", $$$$"""
            {"collection":"{{{{collection}}}}","filter":{"compare":{"field":"data.age","op":"OPERATOR_GE","value":18}},
             "orderBy":[{"field":"data.age","descending":true}],"readMask":["data.age"]}
            """)).Ok();
        Assert.Equal([40, 18], answer["documents"]!.AsArray().Select(static document => (int)document!["data"]!["age"]!));
        Assert.Null(answer["nextPageToken"]);
    }

    [Fact]
    public async Task Batch_write_makes_all_writes_or_none()
    {
        var alice = _server.User();
        var collection = _server.Collection();
        var id = (await alice.CreateAsync($$$$"""{"collection":"{{{{collection}}}}","data":{"n":0}}"""))["id"];
        var written = (await alice.PostAsync("/v1/documents:batchWrite", $$$$"""
            {"writes":[{"create":{"collection":"{{{{collection}}}}","data":{"n":1}}},
                       {"update":{"document":{"id":"{{{{id}}}}","data":{"m":1}}},"etag":"r1"},
                       {"upsert":{"collection":"{{{{collection}}}}","key":"k","data":{"n":2}},"exists":false}]}
            """)).Ok();
        Assert.Equal(["1", "2", "1"], written["documents"]!.AsArray().Select(static document => (string?)document!["revision"]));

        var failed = (await alice.PostAsync("/v1/documents:batchWrite", $$$$"""
            {"writes":[{"create":{"collection":"{{{{collection}}}}","data":{"n":3}}},{"delete":{"id":"{{{{id}}}}"},"etag":"r1"}]}
            """)).Fails(HttpStatusCode.Conflict, "ABORTED", "ETAG_MISMATCH");
        Assert.Equal("1", (string?)failed["details"]![0]!["metadata"]!["index"]);
        Assert.Equal(3, (await alice.GetAsync($"/v1/documents?collection={collection}")).Ok()["documents"]!.AsArray().Count);
    }

    [Fact]
    public async Task Batch_get_edges_aggregate_and_field_indexes_have_their_addresses()
    {
        var (alice, operatorOfServer) = (_server.User(), _server.User("admin"));
        var collection = _server.Collection();
        var book = (string?)(await alice.CreateAsync($$$$"""{"collection":"{{{{collection}}}}","data":{"n":2}}"""))["id"];
        var review = (string?)(await alice.CreateAsync(
            $$$$"""{"collection":"{{{{collection}}}}","data":{"n":3},"edges":[{"label":"about","target":"{{{{book}}}}"}]}"""))["id"];
        var nobody = Guid.CreateVersion7().ToString();

        var batch = (await alice.GetAsync($"/v1/documents:batchGet?ids={review}&ids={nobody}&ids={book}")).Ok();
        Assert.Equal([review, book], batch["documents"]!.AsArray().Select(static document => (string?)document!["id"]));
        Assert.Equal([nobody], batch["missing"]!.AsArray().Select(static id => (string?)id));

        var edges = (await alice.GetAsync($"/v1/documents/{book}:edges?direction=IN&include_documents=true")).Ok();
        var edge = Assert.Single(edges["edges"]!.AsArray())!;
        Assert.Equal(("about", review, 3), ((string?)edge["label"], (string?)edge["source"], (int?)edge["document"]!["data"]!["n"]));

        var sums = (await alice.PostAsync(
            "/v1/documents:aggregate",
            $$$$"""{"collection":"{{{{collection}}}}","aggregations":[{"alias":"total","function":"FUNCTION_SUM","field":"data.n"}]}""")).Ok();
        Assert.Equal(5, (int?)sums["values"]!["total"]);

        var suggested = (await alice.PostAsync("/v1/fieldIndexes", $$$$"""{"collection":"{{{{collection}}}}","path":"data.n"}""")).Ok();
        Assert.Equal("STATE_SUGGESTED", (string?)suggested["state"]);
        (await operatorOfServer.PostAsync("/v1/fieldIndexes:approve", $$$$"""{"collection":"{{{{collection}}}}","path":"data.n"}""")).Ok();
        var listed = (await alice.GetAsync($"/v1/fieldIndexes?collection={collection}")).Ok();
        Assert.Equal("data.n", (string?)Assert.Single(listed["fieldIndexes"]!.AsArray())!["path"]);
        (await operatorOfServer.DeleteAsync($"/v1/fieldIndexes/{collection}/data.n")).Ok();
        (await operatorOfServer.PostAsync("/v1/fieldIndexes:approve", $$$$"""{"collection":"{{{{collection}}}}","path":"data.b,data.a,data.n"}""")).Ok();
        (await operatorOfServer.DeleteAsync($"/v1/fieldIndexes/{collection}/data.a,%20data.b,%20data.n")).Ok();
        (await alice.GetAsync($"/v1/documents:search?collection={collection}&query=book"))
            .Fails(HttpStatusCode.BadRequest, "FAILED_PRECONDITION", "TEXT_INDEX_REQUIRED");
    }

    [Fact]
    public async Task A_request_may_be_tried_out_without_writing()
    {
        var alice = _server.User();
        var collection = _server.Collection();
        (await alice.PostAsync("/v1/documents?validate_only=true", $$$$"""{"collection":"{{{{collection}}}}","data":{}}""")).Ok();
        Assert.Null((await alice.GetAsync($"/v1/documents?collection={collection}")).Ok()["documents"]);
    }
}
