using System.Text.Json.Nodes;
using Grpc.Core;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Tests.Api;

/// <summary>Live queries over a real port: as lines, as events that resume, and as a gRPC stream.</summary>
[Collection(PostgresCollection.Name)]
public sealed class SubscribeTests(ApiHost host) : IClassFixture<ApiHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task Curl_follows_a_query_as_lines_of_JSON()
    {
        var (user, collection) = (_server.User(), _server.Collection());
        await user.CreateAsync(Body(collection, 1));
        using var lines = await OpenAsync(user, $"/v1/documents:subscribe?collection={collection}&initial=true&filter=data.n<5");
        Assert.Equal(1, (int)(await NextAsync(lines))["batch"]!["changes"]![0]!["added"]![0]!["data"]!["n"]!);
        Assert.NotNull((await NextAsync(lines))["ready"]!["cursor"]);

        await user.CreateAsync(Body(collection, 9));
        await user.CreateAsync(Body(collection, 2));
        Assert.Equal(2, (int)(await NextAsync(lines))["batch"]!["changes"]![0]!["added"]![0]!["data"]!["n"]!);
        Assert.NotNull((await NextAsync(lines))["checkpoint"]!["cursor"]);
    }

    [Fact]
    public async Task An_event_source_that_comes_back_gets_what_it_missed()
    {
        var (user, collection) = (_server.User(), _server.Collection());
        var path = $"/v1/documents:subscribe?collection={collection}&initial=true";
        string id;
        using (var events = await OpenAsync(user, path, "text/event-stream"))
        {
            id = (await events.ReadLineAsync())!;
            Assert.StartsWith("id: ", id, StringComparison.Ordinal);
            Assert.StartsWith("""data: {"ready":""", await events.ReadLineAsync(), StringComparison.Ordinal);
        }

        var written = await user.PostAsync("/v1/documents", Body(collection, 1));
        using var resumed = await OpenAsync(user, path, "text/event-stream", id["id: ".Length..], ConsistencyTests.TokenOf(written));
        Assert.StartsWith("""data: {"batch":""", await resumed.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Equal("", await resumed.ReadLineAsync());
        Assert.StartsWith("id: ", await resumed.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_single_target_that_cannot_be_served_fails_the_call()
    {
        var user = _server.User();
        var answer = await user.GetAsync("/v1/documents:subscribe?collection=notes&cursor=nonsense");
        Assert.Equal(400, (int)answer.Status);
        Assert.Contains("CURSOR_INVALID", answer.Body, StringComparison.Ordinal);
        Assert.Equal(400, (int)(await user.GetAsync("/v1/documents:subscribe?collection=Not+A+Name")).Status);
    }

    [Fact]
    public async Task A_gRPC_stream_has_many_targets_and_takes_more()
    {
        var (user, one, two) = (_server.User(), _server.Collection(), _server.Collection());
        var client = new RealtimeService.RealtimeServiceClient(_server.Channel);
        var request = new SubscribeRequest
        {
            StreamId = Guid.NewGuid().ToString(),
            Targets = { new Target { Id = 1, Collection = one }, new Target { Id = 2, Collection = "Not A Name" } },
        };
        using var call = client.Subscribe(request, user.Metadata);
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(ApiServer.Bound));
        Assert.Equal((2u, "INVALID_ARGUMENT"), (call.ResponseStream.Current.TargetError.TargetId, call.ResponseStream.Current.TargetError.Reason));
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(ApiServer.Bound));
        Assert.Equal(1u, call.ResponseStream.Current.Ready.TargetId);

        await client.UpdateSubscriptionsAsync(
            new() { StreamId = request.StreamId, Add = { new Target { Id = 3, Collection = two } }, Remove = { 1 } }, user.Metadata);
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(ApiServer.Bound));
        Assert.Equal(3u, call.ResponseStream.Current.Ready.TargetId);

        var stranger = await Assert.ThrowsAsync<RpcException>(() => client.UpdateSubscriptionsAsync(
            new() { StreamId = request.StreamId, Remove = { 3 } }, _server.User().Metadata).ResponseAsync);
        Assert.Equal(StatusCode.NotFound, stranger.StatusCode);
    }

    private async Task<StreamReader> OpenAsync(ApiUser user, string path, string accept = "application/x-ndjson", string? lastEventId = null, string? token = null)
    {
        using var request = user.Request(HttpMethod.Get, path);
        request.Headers.Add("Accept", accept);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        if (token is not null)
        {
            request.Headers.Add(ConsistencyTokens.Header, token);
        }

        var response = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.IsSuccessStatusCode);
        return new StreamReader(await response.Content.ReadAsStreamAsync());
    }

    private static string Body(string collection, int n) => $$$"""{"collection":"{{{collection}}}","data":{"n":{{{n}}}}}""";

    private static async Task<JsonNode> NextAsync(StreamReader lines) =>
        JsonNode.Parse((await lines.ReadLineAsync().WaitAsync(ApiServer.Bound))!)!;
}
