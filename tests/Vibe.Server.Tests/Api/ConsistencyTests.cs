using System.Data;
using System.Net;
using System.Security.Cryptography;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Kernel;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Api;

/// <summary>Consistency tokens: writes give them, reads wait for them.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ConsistencyTests(ApiHost host, EmbeddedClusterFixture cluster) : IClassFixture<ApiHost>
{
    private readonly ApiServer _server = host.Server;

    /// <summary>The token in an answer over HTTP.</summary>
    internal static string TokenOf(ApiAnswer answer)
    {
        answer.Ok();
        var prefix = $"{ConsistencyTokens.Header}: ";
        return Assert.Single(answer.Headers, header => header.StartsWith(prefix, StringComparison.Ordinal))[prefix.Length..];
    }

    [Fact]
    public async Task Every_write_gives_a_token_and_every_read_takes_it()
    {
        var (alice, collection) = (_server.User(), _server.Collection());
        var created = await alice.PostAsync("/v1/documents", Body(collection));
        var id = (string)created.Ok()["id"]!;
        ApiAnswer[] writes =
        [
            created,
            await alice.PatchAsync($"/v1/documents/{id}", """{"data":{"n":2}}"""),
            await alice.PutAsync($"/v1/documents/{id}", $$$"""{"collection":"{{{collection}}}","data":{"n":3}}"""),
            await alice.PostAsync("/v1/documents:batchWrite", $$$"""{"writes":[{"create":{{{Body(collection)}}}},{"create":{{{Body(collection)}}}}]}"""),
        ];
        foreach (var token in writes.Select(TokenOf))
        {
            foreach (var (path, body) in Reads(collection, id))
            {
                (await SendAsync(alice, path, token, body)).Ok();
            }
        }

        (await SendAsync(alice, $"/v1/documents?collection={collection}", TokenOf(await alice.DeleteAsync($"/v1/documents/{id}")))).Ok();
    }

    [Fact]
    public async Task Each_protocol_has_the_token_in_a_header_that_a_page_of_another_origin_may_read()
    {
        var (alice, collection) = (_server.User(), _server.Collection());
        using var call = alice.Grpc.CreateDocumentAsync(new() { Document = new() { Collection = collection, Data = Someone.Body("{}") } }, alice.Metadata);
        var token = (await call.ResponseHeadersAsync).GetValue(ConsistencyTokens.Header);
        await call;
        using var read = alice.Grpc.ListDocumentsAsync(new() { Collection = collection }, [.. alice.Metadata, new Metadata.Entry(ConsistencyTokens.Header, token!)]);
        Assert.Single((await read).Documents);

        foreach (var (path, body) in ((string, string)[])
            [("/v1/documents", Body(collection)), ("/vibe.documents.v1.DocumentsService/CreateDocument", $$$"""{"document":{{{Body(collection)}}}}""")])
        {
            using var request = alice.Request(HttpMethod.Post, path, System.Text.Encoding.UTF8.GetBytes(body), "application/json");
            request.Headers.Add("Origin", "https://app.example");
            using var response = await _server.Http.SendAsync(request);
            var answer = await ApiAnswer.ReadAsync(response);
            TokenOf(answer);
            Assert.Contains("*", response.Headers.GetValues("Access-Control-Expose-Headers").SelectMany(static names => names.Split(',')));
        }
    }

    [Fact]
    public async Task What_is_not_kept_has_no_token_and_a_repeated_request_has_the_first_one()
    {
        var (alice, collection) = (_server.User(), _server.Collection());
        var dry = await alice.PostAsync("/v1/documents?validate_only=true", Body(collection));
        dry.Ok();
        Assert.DoesNotContain(dry.Headers, static header => header.StartsWith(ConsistencyTokens.Header, StringComparison.Ordinal));

        var path = $"/v1/documents?request_id={Guid.NewGuid()}";
        var first = await alice.PostAsync(path, Body(collection));
        await alice.PatchAsync($"/v1/documents/{(string)first.Ok()["id"]!}", """{"data":{"n":2}}""");
        Assert.Equal(TokenOf(first), TokenOf(await alice.PostAsync(path, Body(collection))));
    }

    [Fact]
    public async Task A_read_waits_until_the_write_is_visible()
    {
        var (alice, collection) = (_server.User(), _server.Collection());
        await using var transaction = await _server.Database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, CancellationToken.None);
        var token = await TokenOfAsync(_server, transaction);
        var read = SendAsync(alice, $"/v1/documents?collection={collection}", token);
        await transaction.CommitAsync(CancellationToken.None);
        (await read).Ok();
    }

    [Fact]
    public async Task A_read_that_cannot_wait_any_longer_says_when_to_come_back()
    {
        await using var server = await ApiServer.StartAsync(
            await cluster.CreateEmptyDatabaseAsync(), static builder => builder.Configuration["Vibe:Consistency:Patience"] = "00:00:00");
        var alice = server.User();
        await using var transaction = await server.Database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, CancellationToken.None);
        var token = await TokenOfAsync(server, transaction);
        foreach (var (path, body) in Reads("notes", Guid.NewGuid().ToString()))
        {
            var answer = await SendAsync(alice, path, token, body, server);
            answer.Fails(HttpStatusCode.ServiceUnavailable, "UNAVAILABLE", "REPLICA_BEHIND");
            Assert.Contains("retry-after: 1", answer.Headers);
        }

        await transaction.CommitAsync(CancellationToken.None);
        (await SendAsync(alice, "/v1/documents?collection=notes", token, server: server)).Ok();
    }

    [Fact]
    public async Task A_forged_or_foreign_token_and_one_of_another_epoch_are_refused_by_every_read()
    {
        var (alice, collection) = (_server.User(), _server.Collection());
        var epoch = await EpochOfAsync(_server);
        var ours = _server.App.Services.GetRequiredService<ConsistencyTokens>();
        var foreign = new ConsistencyTokens(RandomNumberGenerator.GetBytes(32)).Issue(WritePoint.Of(epoch, 1));
        var expired = ours.Issue(WritePoint.Of(new FeedEpoch($"{epoch.Text}1"), 1));
        (string, string?)[] others =
        [
            ($"/v1/documents:search?collection={collection}&query=x", null), ($"/v1/documents:subscribe?collection={collection}", null),
        ];
        foreach (var (path, body) in (IEnumerable<(string, string?)>)[.. Reads(collection, Guid.NewGuid().ToString()), .. others])
        {
            foreach (var token in (string[])["nonsense", foreign, expired[..^1] + (expired[^1] == 'A' ? 'B' : 'A')])
            {
                (await SendAsync(alice, path, token, body)).Fails(HttpStatusCode.BadRequest, "INVALID_ARGUMENT", "CONSISTENCY_TOKEN_INVALID");
            }

            (await SendAsync(alice, path, expired, body)).Fails(HttpStatusCode.BadRequest, "FAILED_PRECONDITION", "CONSISTENCY_TOKEN_EXPIRED");
        }

        // A stranger's token is as good as one's own: it says when, not what.
        (await SendAsync(_server.Visitor(), $"/v1/documents?collection={collection}", ours.Issue(WritePoint.Of(epoch, 1)))).Ok();
    }

    [Fact]
    public async Task A_stream_asks_for_it_with_the_same_header()
    {
        var (alice, collection) = (_server.User(), _server.Collection());
        var token = TokenOf(await alice.PostAsync("/v1/documents", Body(collection)));
        using var call = new RealtimeService.RealtimeServiceClient(_server.Channel).Subscribe(
            new() { Collection = collection, Initial = true }, [.. alice.Metadata, new Metadata.Entry(ConsistencyTokens.Header, token)]);
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(ApiServer.Bound));
        Assert.Single(call.ResponseStream.Current.Batch.Changes[0].Added);
    }

    private static (string Path, string? Body)[] Reads(string collection, string id) =>
    [
        ($"/v1/documents/{id}", null), ($"/v1/documents?collection={collection}", null), ($"/v1/documents:batchGet?ids={id}", null),
        ($"/v1/documents/{id}:edges", null), ("/v1/documents:query", $$"""{"collection":"{{collection}}"}"""),
        ("/v1/documents:aggregate", $$"""{"collection":"{{collection}}","aggregations":[{"alias":"n","function":"FUNCTION_COUNT"}]}"""),
    ];

    private static string Body(string collection) => $$$"""{"collection":"{{{collection}}}","data":{"n":1}}""";

    private static async Task<FeedEpoch> EpochOfAsync(ApiServer server) => (await server.Database.Owner.QueryFirstAsync(
        $"select {FeedEpoch.Expression}", static row => new FeedEpoch(row.GetString(0)), CancellationToken.None))!;

    // The token of a write that has not committed yet: what a standby that lags behind sees.
    private static async Task<string> TokenOfAsync(ApiServer server, Transaction transaction)
    {
        var number = await transaction.QueryFirstAsync($"select pg_current_xact_id()", static row => row.GetXid8(0), CancellationToken.None);
        return server.App.Services.GetRequiredService<ConsistencyTokens>().Issue(WritePoint.Of(await EpochOfAsync(server), number));
    }

    private async Task<ApiAnswer> SendAsync(ApiUser user, string path, string token, string? body = null, ApiServer? server = null)
    {
        using var request = user.Request(
            body is null ? HttpMethod.Get : HttpMethod.Post, path, body is null ? null : System.Text.Encoding.UTF8.GetBytes(body), "application/json");
        request.Headers.Add(ConsistencyTokens.Header, token);
        using var response = await (server ?? _server).Http.SendAsync(request);
        return await ApiAnswer.ReadAsync(response);
    }
}
