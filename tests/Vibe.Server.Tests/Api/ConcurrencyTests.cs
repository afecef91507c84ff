using System.Net;
using System.Text.Json.Nodes;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Api;

/// <summary>Repeated requests and running pages, while others write.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ConcurrencyTests(ApiHost host) : IClassFixture<ApiHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task Twenty_equal_requests_at_once_have_one_effect_and_one_answer()
    {
        var (alice, collection, request) = (_server.User(), _server.Collection(), Guid.NewGuid());
        var body = $$$"""{"collection":"{{{collection}}}","data":{"n":1}}""";
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => alice.PostAsync($"/v1/documents?request_id={request}", body)));
        Assert.Single(answers.Select(static answer => answer.Ok().ToJsonString()).Distinct());
        Assert.Single(await IdsAsync(alice, collection));

        var id = (string)answers[0].Ok()["id"]!;
        var update = Guid.NewGuid();
        var updates = await Task.WhenAll(Enumerable.Range(0, 20)
            .Select(_ => alice.PatchAsync($"/v1/documents/{id}?request_id={update}", """{"data":{"n":2}}""")));
        Assert.Single(updates.Select(static answer => answer.Ok().ToJsonString()).Distinct());
        Assert.Equal("2", (string?)updates[0].Json["revision"]);
    }

    [Fact]
    public async Task A_request_sent_by_two_protocols_at_once_has_one_effect()
    {
        var (alice, collection, request) = (_server.User(), _server.Collection(), Guid.NewGuid().ToString());
        var message = new CreateDocumentRequest
        {
            RequestId = request, Document = new() { Collection = collection, Data = Someone.Body("""{"a":1,"b":"two"}""") },
        };
        var rest = Enumerable.Range(0, 10)
            .Select(async _ => (string)(await alice.PostAsync($"/v1/documents?request_id={request}", $$$"""{"data":{"b":"two","a":1},"collection":"{{{collection}}}"}""")).Ok()["id"]!);
        var grpc = Enumerable.Range(0, 10).Select(async _ => (await alice.Grpc.CreateDocumentAsync(message, alice.Metadata)).Document.Id);
        Assert.Single((await Task.WhenAll([.. rest, .. grpc])).Distinct());
        Assert.Single(await IdsAsync(alice, collection));
    }

    [Fact]
    public async Task Of_different_requests_under_one_id_one_wins_and_the_others_are_refused()
    {
        var (alice, collection, request) = (_server.User(), _server.Collection(), Guid.NewGuid());
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            async n => (N: n % 2, Answer: await alice.PostAsync($"/v1/documents?request_id={request}", $$$"""{"collection":"{{{collection}}}","data":{"n":{{{n % 2}}}}}"""))));
        var winner = (int)answers.First(static answer => answer.Answer.Status == HttpStatusCode.OK).Answer.Json["data"]!["n"]!;
        Assert.All(answers.Where(answer => answer.N == winner), static answer => answer.Answer.Ok());
        Assert.All(
            answers.Where(answer => answer.N != winner),
            static answer => answer.Answer.Fails(HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "REQUEST_ID_REUSED"));
        Assert.Single(await IdsAsync(alice, collection));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("data.n", "")]
    [InlineData("data.n desc", "data.n >= 0")]
    [InlineData("update_time", "")]
    public async Task Pages_neither_skip_nor_repeat_while_others_write(string orderBy, string filter)
    {
        var (alice, collection) = (_server.User(), _server.Collection());
        var before = new HashSet<string>();
        foreach (var batch in Enumerable.Range(0, 120).Chunk(60))
        {
            before.UnionWith(await WriteAsync(alice, collection, batch.Select(static n => n * 10)));
        }

        using var stop = new CancellationTokenSource();
        var written = 0;
        var writers = Enumerable.Range(1, 3).Select(async writer =>
        {
            // New places all over the order, and old documents deleted again among the new ones.
            for (var n = writer; !stop.IsCancellationRequested; n += 7)
            {
                var ids = await WriteAsync(alice, collection, [n % 1200, (n + 600) % 1200]);
                (await alice.DeleteAsync($"/v1/documents/{ids[0]}")).Ok();
                Interlocked.Increment(ref written);
            }
        }).ToArray();

        var seen = new List<string>();
        for (var (token, pages) = ("", 0); pages == 0 || token.Length > 0; pages++)
        {
            var page = (await alice.GetAsync(
                $"/v1/documents?collection={collection}&order_by={Uri.EscapeDataString(orderBy)}&filter={Uri.EscapeDataString(filter)}&page_size=7&page_token={token}")).Ok();
            seen.AddRange(page["documents"]?.AsArray().Select(static document => (string)document!["id"]!) ?? []);
            token = (string?)page["nextPageToken"] ?? "";

            // No page before something new was written since the last one.
            var now = Volatile.Read(ref written);
            await ApiServer.EventuallyAsync(() => Task.FromResult(Volatile.Read(ref written) > now));
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Empty(before.Except(seen));
    }

    private static async Task<string[]> WriteAsync(ApiUser user, string collection, IEnumerable<int> numbers)
    {
        var writes = numbers.Select(n => $$$$"""{"create":{"collection":"{{{{collection}}}}","data":{"n":{{{{n}}}}}}}""");
        var answer = (await user.PostAsync("/v1/documents:batchWrite", $$"""{"writes":[{{string.Join(',', writes)}}]}""")).Ok();
        return [.. answer["documents"]!.AsArray().Select(static document => (string)document!["id"]!)];
    }

    private static async Task<JsonArray> IdsAsync(ApiUser user, string collection) =>
        (await user.GetAsync($"/v1/documents?collection={collection}")).Ok()["documents"]!.AsArray();
}
