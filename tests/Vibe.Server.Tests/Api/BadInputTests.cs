using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Api;

/// <summary>
/// Input that is refused: with the same status, reason, metadata and field violations in every protocol, and without a
/// trace in the database.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed partial class BadInputTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Runtime = "rpc.vibe.dev";
    private const string Vibe = "vibe.dev";
    private static readonly string RequestId = Guid.CreateVersion7().ToString();

    private static readonly Dictionary<string, Case> Cases = new()
    {
        ["an unknown field"] = Bad("UNKNOWN_FIELD", Runtime, "document.colour", _ => ApiCall.CreateText("""{"collection":"x","data":{},"colour":1}""")),
        ["a body that is no object"] = Bad("WRONG_TYPE", Runtime, "document.data", _ => ApiCall.CreateText("""{"collection":"x","data":"text"}""")),
        ["a number for a string"] = Bad("WRONG_TYPE", Runtime, "document.collection", _ => ApiCall.CreateText("""{"collection":7,"data":{}}""")),
        ["broken JSON"] = Bad("MALFORMED_JSON", Runtime, "document.data.a", _ => ApiCall.CreateText("""{"collection":"x","data":{"a":tru}}""")),
        ["JSON that ends early"] = Bad("MALFORMED_JSON", Runtime, "document.data", _ => ApiCall.CreateText("""{"collection":"x","data":{"a":1,}""")),
        ["NaN"] = Bad("MALFORMED_JSON", Runtime, "document.data.a", _ => ApiCall.CreateText("""{"collection":"x","data":{"a":NaN}}""")),
        ["infinity"] = Bad("NUMBER_OUT_OF_RANGE", Runtime, "document.data.a", _ => ApiCall.CreateText("""{"collection":"x","data":{"a":1e400}}""")),
        ["a key twice"] = Bad("DUPLICATE_KEY", Runtime, "document.data.a", _ => ApiCall.CreateText("""{"collection":"x","data":{"a":1,"a":2}}""")),
        ["a field twice"] = Bad("DUPLICATE_KEY", Runtime, "document.data", _ => ApiCall.CreateText("""{"collection":"x","data":{},"data":{}}""")),
        ["U+0000"] = Bad("NULL_CHARACTER", Runtime, "document.data.a", _ => ApiCall.CreateText("""{"collection":"x","data":{"a":"\u0000"}}""")),
        ["half a surrogate pair"] = Bad("LONE_SURROGATE", Runtime, "document.data.a", _ => ApiCall.CreateText("""{"collection":"x","data":{"a":"\ud800"}}""")),
        ["bytes that are no UTF-8"] = Bad(
            "INVALID_UTF8", Runtime, "document.data.a",
            _ => ApiCall.Create([.. "{\"collection\":\"x\",\"data\":{\"a\":\""u8, 0xC3, 0x28, .. "\"}}"u8], isText: true)),
        ["a body of 101 levels"] = Bad(
            "DEPTH_LIMIT", Runtime, null, _ => ApiCall.CreateText($$$"""{"collection":"x","data":{"a":{{{new string('[', 101)}}}{{{new string(']', 101)}}}}}""")),
        ["a body over 1 MiB"] = Bad(
            "INVALID_ARGUMENT", Vibe, "document.data", w => ApiCall.Create($$$"""{"collection":"{{{w.Collection}}}","data":{"a":"{{{new string('x', 1024 * 1024)}}}"}}""")),
        ["a message over the limit"] = Bad(
            StatusCode.ResourceExhausted, "MESSAGE_TOO_LARGE", Runtime, null,
            w => ApiCall.Create($$$"""{"collection":"{{{w.Collection}}}","key":"{{{new string('x', 13 * 1024 * 1024)}}}"}""")),
        ["no collection"] = Bad("INVALID_ARGUMENT", Vibe, "document.collection", _ => ApiCall.Create("""{"data":{}}""")),
        ["a collection in capitals"] = Bad("INVALID_ARGUMENT", Vibe, "document.collection", _ => ApiCall.Create("""{"collection":"Notes","data":{}}""")),
        ["a collection too long"] = Bad(
            "INVALID_ARGUMENT", Vibe, "document.collection", _ => ApiCall.Create($$$"""{"collection":"{{{new string('a', 129)}}}","data":{}}""")),
        ["an id that is none"] = Bad("INVALID_ARGUMENT", Vibe, "document.id", w => ApiCall.Create($$$"""{"id":"7","collection":"{{{w.Collection}}}"}""")),
        ["an id that is none, to read"] = Bad("INVALID_ARGUMENT", Vibe, "id", _ => ApiCall.Get("GetDocument", """{"id":"nonsense"}""", "/v1/documents/nonsense")),
        ["a request id that is none"] = Bad("INVALID_ARGUMENT", Vibe, "requestId", w => ApiCall.Create($$$"""{"collection":"{{{w.Collection}}}","data":{}}""", "7")),
        ["a request id of another request"] = Bad(
            "REQUEST_ID_REUSED", Vibe, "requestId", w => ApiCall.Create($$$"""{"collection":"{{{w.Collection}}}","data":{"other":1}}""", w.RequestId), ("requestId", static w => w.RequestId)),
        ["an update mask outside of the document"] = Bad("INVALID_ARGUMENT", Vibe, "updateMask[0]", w => ApiCall.Update(w.Id, "{}", mask: "owner")),
        ["a broken update mask"] = Bad("INVALID_ARGUMENT", Vibe, "updateMask[0]", w => ApiCall.Update(w.Id, "{}", mask: "data..a")),
        ["the etag of another revision"] = Bad(
            StatusCode.Aborted, "ETAG_MISMATCH", Vibe, null, w => ApiCall.Update(w.Id, """{"data":{"a":2}}""", etag: "r7"),
            ("id", static w => w.Id), ("etag", static _ => "r7"), ("currentEtag", static _ => "r1")),
        ["a broken filter"] = Bad("INVALID_ARGUMENT", Vibe, "filter", w => List(w, "data.a =")),
        ["a filter over 8 KiB"] = Bad("INVALID_ARGUMENT", Vibe, "filter", w => List(w, $"data.a = '{new string('x', 8192)}'")),
        ["a filter of 101 comparisons"] = Bad("INVALID_ARGUMENT", Vibe, "filter", w => List(w, string.Join(" or ", Enumerable.Repeat("data.a = 1", 101)))),
        ["a filter of 11 levels"] = Bad("INVALID_ARGUMENT", Vibe, "filter", w => List(w, $"{string.Concat(Enumerable.Repeat("not (", 11))}data.a = 1{new string(')', 11)}")),
        ["a broken order"] = Bad("INVALID_ARGUMENT", Vibe, "orderBy", w => List(w, "", orderBy: "data.a sideways")),
        ["a negative page size"] = Bad(
            "INVALID_ARGUMENT", Vibe, "pageSize",
            w => ApiCall.Get("ListDocuments", $$$"""{"collection":"{{{w.Collection}}}","pageSize":-1}""", $"/v1/documents?collection={w.Collection}&page_size=-1")),
        ["a scope that is none"] = Bad(
            "INVALID_ARGUMENT", Vibe, "scope",
            w => ApiCall.Get("ListDocuments", $$$"""{"collection":"{{{w.Collection}}}","scope":9}""", $"/v1/documents?collection={w.Collection}&scope=9")),
        ["a filter message without operator"] = Bad(
            "INVALID_ARGUMENT", Vibe, "filter.compare.op",
            w => ApiCall.Post("QueryDocuments", $$$$"""{"collection":"{{{{w.Collection}}}}","filter":{"compare":{"field":"data.a"}}}""", "/v1/documents:query")),
        ["a broken page token"] = Bad("PAGE_TOKEN_INVALID", Vibe, "pageToken", w => List(w, "", token: "AAAA")),
        ["a changed page token"] = Bad("PAGE_TOKEN_INVALID", Vibe, "pageToken", w => List(w, "", token: w.PageToken[..^2] + (w.PageToken[^2] == 'A' ? "B" : "A") + w.PageToken[^1])),
        ["the page token of another query"] = Bad("PAGE_TOKEN_INVALID", Vibe, "pageToken", w => List(w, "data.a = 1", token: w.PageToken)),
        ["the page token of another order"] = Bad("PAGE_TOKEN_INVALID", Vibe, "pageToken", w => List(w, "", orderBy: "data.a", token: w.PageToken)),
        ["the page token of someone else"] = Bad("PAGE_TOKEN_INVALID", Vibe, "pageToken", w => List(w, "", token: w.TokenOfOther)),
        ["a bad write within a batch"] = Bad(
            "INVALID_ARGUMENT", Vibe, "writes[1].create.collection",
            w => ApiCall.Post(
                "BatchWriteDocuments",
                $$$$"""{"writes":[{"create":{"collection":"{{{{w.Collection}}}}","data":{}}},{"create":{"collection":"No!","data":{}}}]}""",
                "/v1/documents:batchWrite")),
        ["a lost race within a batch"] = Bad(
            StatusCode.Aborted, "ETAG_MISMATCH", Vibe, null,
            w => ApiCall.Post(
                "BatchWriteDocuments",
                $$$$"""{"writes":[{"create":{"collection":"{{{{w.Collection}}}}","data":{}}},{"delete":{"id":"{{{{w.Id}}}}"},"etag":"r9"}]}""",
                "/v1/documents:batchWrite"),
            ("id", static w => w.Id), ("etag", static _ => "r9"), ("currentEtag", static _ => "r1"), ("index", static _ => "1")),
    };

    private readonly ApiServer _server = host.Server;

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Is_refused_alike_in_every_protocol_and_writes_nothing(string name)
    {
        var (code, reason, domain, field, call, metadata) = Cases[name];
        var world = await World.MakeAsync(_server);
        var before = await StateAsync(world.Alice);
        var failures = await _server.FailAsync(world.Alice, call(world));
        // A place in the text of the request is another one where more text is before it.
        var text = Assert.Single(failures.Values.Select(static failure => BytePlace.Replace(failure.ToString(), "byte N")).Distinct());
        var failure = failures["REST"];
        Assert.Equal((code, reason, domain), (failure.Code, failure.Info.Reason, failure.Info.Domain));
        Assert.True(field is null || failure.Violations[0].Field == field, text);
        Assert.Equal(code == StatusCode.InvalidArgument, failure.Violations.Count > 0);
        Assert.DoesNotContain(failure.Violations, static violation => violation.Field.Length > 0 && violation.Description.StartsWith(violation.Field, StringComparison.Ordinal));
        Assert.All(metadata, pair => Assert.Equal(pair.Value(world), failure.Info.Metadata.GetValueOrDefault(pair.Key)));
        Assert.Equal(before, await StateAsync(world.Alice));
    }

    public static TheoryData<string, string> Structs => new()
    {
        { "NOT_FINITE", "0A0E0A0161120911000000000000F87F" },
        { "NOT_FINITE", "0A0E0A0161120911000000000000F07F" },
        { "INVALID_UTF8", "0A090A016112041A02C328" },
        { "DUPLICATE_KEY", "0A070A0161120220010A070A016112022000" },
        { "MISSING_VALUE", "0A050A01611200" },
        { "NULL_CHARACTER", "0A080A016112031A0100" },
        { "MALFORMED_STRUCT", "0AFF" },
    };

    /// <summary>What JSON cannot say, the bytes of a Struct can.</summary>
    [Theory]
    [MemberData(nameof(Structs))]
    public async Task A_body_that_is_no_JSON_is_refused_in_bytes_too(string rule, string hex)
    {
        var world = await World.MakeAsync(_server);
        var before = await StateAsync(world.Alice);
        var data = ByteString.CopyFrom(Convert.FromHexString(hex));
        var message = new CreateDocumentRequest { Document = new() { Collection = world.Collection, Data = data } }.ToByteArray();
        var failures = await _server.FailAsync(world.Alice, "CreateDocument", message);
        Assert.Single(failures.Values.Select(static failure => failure.ToString()).Distinct());
        var failure = failures["gRPC"];
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_ARGUMENT", Vibe), (failure.Code, failure.Info.Reason, failure.Info.Domain));
        Assert.Equal(rule, failure.Violations[0].Reason);
        Assert.StartsWith("document.data", failure.Violations[0].Field, StringComparison.Ordinal);
        Assert.Equal(before, await StateAsync(world.Alice));
    }

    [GeneratedRegex("byte [0-9]+", RegexOptions.NonBacktracking)]
    private static partial Regex BytePlace { get; }

    private static ApiCall List(World world, string filter, string orderBy = "", string token = "") => ApiCall.Get(
        "ListDocuments",
        new JsonObject
        {
            ["collection"] = world.Collection, ["filter"] = filter, ["orderBy"] = orderBy, ["pageSize"] = 1, ["pageToken"] = token,
        }.ToJsonString(),
        $"/v1/documents?collection={world.Collection}&filter={Uri.EscapeDataString(filter)}&order_by={Uri.EscapeDataString(orderBy)}&page_size=1&page_token={token}");

    private async Task<string> StateAsync(ApiUser user) => (await _server.Database.Owner.QueryFirstAsync(
        $"""
        select concat_ws(' ', count(*), sum(revision), (select count(*) from vibe.requests r where r.caller_did = {user.Did}))
        from vibe.documents where owner_did = {user.Did}
        """,
        static row => row.GetString(0), CancellationToken.None))!;

    private static Case Bad(
        string reason, string domain, string? field, Func<World, ApiCall> call, params (string Key, Func<World, string> Value)[] metadata) =>
        new(StatusCode.InvalidArgument, reason, domain, field, call, metadata);

    private static Case Bad(
        StatusCode code, string reason, string domain, string? field, Func<World, ApiCall> call, params (string Key, Func<World, string> Value)[] metadata) =>
        new(code, reason, domain, field, call, metadata);

    private sealed record Case(
        StatusCode Code, string Reason, string Domain, string? Field, Func<World, ApiCall> Call, (string Key, Func<World, string> Value)[] Metadata);

    /// <summary>Someone with two documents, a used request id and a page token.</summary>
    private sealed record World(ApiUser Alice, string Collection, string Id, string RequestId, string PageToken, string TokenOfOther)
    {
        public static async Task<World> MakeAsync(ApiServer server)
        {
            var (alice, bob, collection) = (server.User(), server.User(), server.Collection());
            var document = $$$"""{"collection":"{{{collection}}}","data":{"a":1}}""";
            var id = (string)(await alice.PostAsync($"/v1/documents?request_id={BadInputTests.RequestId}", document)).Ok()["id"]!;
            await alice.CreateAsync(document);
            await bob.CreateAsync(document);
            await bob.CreateAsync(document);
            return new World(alice, collection, id, BadInputTests.RequestId, await TokenAsync(alice, collection), await TokenAsync(bob, collection));
        }

        private static async Task<string> TokenAsync(ApiUser user, string collection) =>
            (string)(await user.GetAsync($"/v1/documents?collection={collection}&page_size=1")).Ok()["nextPageToken"]!;
    }
}
