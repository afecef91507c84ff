using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Api;

/// <summary>
/// A document the caller may not see answers like one that does not exist: status, headers and body are the same bytes,
/// but for the id the caller sent.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed partial class InvisibleTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Service = "/vibe.documents.v1.DocumentsService/";
    private readonly ApiServer _server = host.Server;

    public static TheoryData<string, string, string> Calls => new()
    {
        { "GET", "/v1/documents/$id", "" },
        { "GET", "/v1/documents/$id?expand=author&read_mask=data", "" },
        { "PATCH", "/v1/documents/$id", """{"data":{"a":2}}""" },
        { "PATCH", "/v1/documents/$id?etag=r1", """{"data":{"a":2}}""" },
        { "PATCH", "/v1/documents/$id?validate_only=true", """{"acl":{"read":{"allow":["*"]}}}""" },
        { "DELETE", "/v1/documents/$id", "" },
        { "DELETE", "/v1/documents/$id?etag=r1", "" },
        { "GET", "/v1/documents:batchGet?ids=$id", "" },
        { "GET", "/v1/documents/$id:edges", "" },
        { "GET", "/v1/documents/$id:edges?direction=IN&include_documents=true", "" },
        { "POST", "/v1/documents:batchWrite", """{"writes":[{"update":{"document":{"id":"$id","data":{}}}}]}""" },
        { "POST", "/v1/documents:batchWrite", """{"writes":[{"delete":{"id":"$id"},"exists":true}]}""" },
        { "POST", Service + "GetDocument", """{"id":"$id"}""" },
        { "POST", Service + "UpdateDocument", """{"id":"$id","document":{"data":{}}}""" },
        { "POST", Service + "DeleteDocument", """{"id":"$id"}""" },
        { "POST", Service + "BatchGetDocuments", """{"ids":["$id"]}""" },
        { "POST", Service + "ListEdges", """{"id":"$id"}""" },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Is_answered_as_if_it_did_not_exist(string verb, string path, string body)
    {
        var (alice, bob, carol) = (_server.User(), _server.User(), _server.User());
        string[] documents =
        [
            """{"collection":"secrets","data":{"a":1}}""",
            $$$$"""{"collection":"secrets","data":{"a":1},"acl":{"read":{"allow":["{{{{carol.Did}}}}"]}}}""",
            $$$$"""{"collection":"secrets","data":{"a":1},"acl":{"read":{"allow":["*"],"deny":["{{{{bob.Did}}}}"]}}}""",
        ];
        var absent = await AnswerAsync(bob, verb, path, body, Guid.CreateVersion7().ToString());
        Assert.Contains("$id", absent, StringComparison.Ordinal);
        foreach (var document in documents)
        {
            var id = (string)(await alice.CreateAsync(document))["id"]!;
            Assert.Equal(absent, await AnswerAsync(bob, verb, path, body, id));
            Assert.Equal("r1", (string?)(await alice.GetAsync($"/v1/documents/{id}")).Ok()["etag"]);
        }

        var deleted = (string)(await alice.CreateAsync("""{"collection":"secrets","data":{},"acl":{"read":{"allow":["*"]}}}"""))["id"]!;
        (await alice.DeleteAsync($"/v1/documents/{deleted}")).Ok();
        Assert.Equal(absent, await AnswerAsync(bob, verb, path, body, deleted));
    }

    [Theory]
    [InlineData("GetDocument")]
    [InlineData("UpdateDocument")]
    [InlineData("DeleteDocument")]
    [InlineData("ListEdges")]
    public async Task Is_the_same_over_gRPC(string method)
    {
        var (alice, bob) = (_server.User(), _server.User());
        var id = (string)(await alice.CreateAsync("""{"collection":"secrets","data":{}}"""))["id"]!;
        Assert.Equal(await TrailersAsync(bob, method, Guid.CreateVersion7().ToString()), await TrailersAsync(bob, method, id));
    }

    [Fact]
    public async Task An_edge_tells_nothing_of_its_target()
    {
        var (alice, bob) = (_server.User(), _server.User());
        var hidden = (string)(await alice.CreateAsync("""{"collection":"secrets","data":{}}"""))["id"]!;
        var answers = new List<string>();
        foreach (var target in (string[])[hidden, Guid.CreateVersion7().ToString()])
        {
            var document = await bob.CreateAsync($$"""{"collection":"links","data":{},"edges":[{"label":"to","target":"{{target}}"}]}""");
            var id = (string)document["id"]!;
            var edges = await bob.GetAsync($"/v1/documents/{id}:edges?include_documents=true");
            var read = (await bob.GetAsync($"/v1/documents/{id}?expand=to&read_mask=edges")).Body;
            answers.Add((edges.Body + read).Replace(target, "$target", StringComparison.Ordinal).Replace(id, "$id", StringComparison.Ordinal));
        }

        Assert.Equal(answers[0], answers[1]);
    }

    private static async Task<string> AnswerAsync(ApiUser user, string verb, string path, string body, string id)
    {
        var json = body.Length == 0 ? null : body.Replace("$id", id, StringComparison.Ordinal);
        var answer = await user.SendAsync(new HttpMethod(verb), path.Replace("$id", id, StringComparison.Ordinal), json);
        return TextOf(answer, id);
    }

    // All that came over the wire, with the id that was asked for taken out: details in base64 are opened to find it there.
    // Date is the only header that may differ.
    private static string TextOf(ApiAnswer answer, string id)
    {
        var headers = answer.Headers.Where(static header => !header.StartsWith("date: ", StringComparison.Ordinal));
        var text = $"{answer.Status}\n{string.Join('\n', headers)}\n\n{answer.Body}";
        text = Details.Replace(text, static match => Encoding.Latin1.GetString(WireFailure.Decode(match.Value)));
        return text.Replace(id, "$id", StringComparison.Ordinal);
    }

    [GeneratedRegex("(?<=\"value\":\"|details-bin: )[A-Za-z0-9+/]+")]
    private static partial Regex Details { get; }

    private async Task<string> TrailersAsync(ApiUser user, string method, string id)
    {
        var message = method == "UpdateDocument" ? $$$$"""{"id":"{{{{id}}}}","document":{"data":{}}}""" : $$"""{"id":"{{id}}"}""";
        using var request = user.Request(HttpMethod.Post, Service + method, WireFailure.Frame(Encoding.UTF8.GetBytes(message)), "application/grpc+json");
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var response = await _server.Http.SendAsync(request);
        var text = TextOf(await ApiAnswer.ReadAsync(response), id);
        Assert.Contains("$id", text, StringComparison.Ordinal);
        return text;
    }
}
