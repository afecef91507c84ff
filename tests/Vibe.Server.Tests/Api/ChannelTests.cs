using System.Net.Sockets;
using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;

namespace Vibe.Server.Tests.Api;

/// <summary>Channels over a real port.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ChannelTests(EmbeddedClusterFixture cluster) : IAsyncLifetime
{
    // linux/tcp.h
    private const int TcpUserTimeout = 18;

    private readonly List<Socket> _sockets = [];
    private ApiServer _server = null!;

    public async Task InitializeAsync() => _server = await ApiServer.StartAsync(
        await cluster.CreateEmptyDatabaseAsync(), builder => builder.Services.AddSingleton<IStartupFilter>(new SocketWatch(_sockets)));

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Curl_and_a_gRPC_client_meet_in_the_channel_of_a_document()
    {
        var (alice, bob) = (_server.User(), _server.User());
        var id = (string)(await alice.CreateAsync($$$$"""{"collection":"notes","data":{},"acl":{"read":{"allow":["{{{{bob.Did}}}}"]}}}"""))["id"]!;
        var (path, stream) = ($"/v1/channels/document:{id}", Guid.NewGuid().ToString());
        using var lines = await OpenAsync(alice, $"{path}/events?stream_id={stream}");
        var member = (string)(await NextAsync(lines))["joined"]!["memberId"]!;

        var client = new RealtimeService.RealtimeServiceClient(_server.Channel);
        using var call = client.JoinChannel(new() { Channel = $"document:{id}", StreamId = Guid.NewGuid().ToString() }, bob.Metadata);
        var other = (await NextAsync(call)).Joined.MemberId;
        (await alice.PutAsync($"{path}/presence", $$$"""{"streamId":"{{{stream}}}","state":{"typing":true},"timeToLive":"20s"}""")).Ok();
        var present = (await NextAsync(call)).Presence.Joined.Single();
        Assert.Equal((member, alice.Did), (present.MemberId, present.User));
        Assert.True((bool)(await NextAsync(lines))["presence"]!["joined"]![0]!["state"]!["typing"]!);

        (await alice.PostAsync($"{path}/messages", $$$"""{"streamId":"{{{stream}}}","payload":{"sdp":"v=0"},"recipient":"{{{other}}}"}""")).Ok();
        var message = (await NextAsync(call)).Message;
        Assert.Equal((member, alice.Did, true), (message.From, message.User, message.Direct));

        Assert.Equal(2, _sockets.Count);
        Assert.All(_sockets, static socket =>
        {
            Span<byte> timeout = stackalloc byte[4];
            socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, timeout);
            // An idle time and the time of a last message add up.
            Assert.InRange(BitConverter.ToInt32(timeout), 2000, 4500);
        });

        // A connection that ends takes its member with it.
        lines.Dispose();
        Assert.Equal([member], (await NextAsync(call)).Presence.Left);
    }

    [Fact]
    public async Task Visitors_hear_what_is_public_and_keep_their_streams_to_themselves()
    {
        var (owner, visitor) = (_server.User(), _server.Visitor());
        var id = (string)(await owner.CreateAsync("""{"collection":"notes","data":{},"acl":{"read":{"allow":["*"]}}}"""))["id"]!;
        var (path, stream) = ($"/v1/channels/document:{id}", Guid.NewGuid().ToString());
        using var events = await OpenAsync(visitor, $"{path}/events?stream_id={stream}", "text/event-stream");
        Assert.StartsWith("""data: {"joined":""", await events.ReadLineAsync().WaitAsync(ApiServer.Bound), StringComparison.Ordinal);
        var body = $$$"""{"streamId":"{{{stream}}}","payload":{}}""";
        Assert.Equal(404, (int)(await owner.PostAsync($"{path}/messages", body)).Status);
        (await visitor.PostAsync($"{path}/messages", body)).Ok();

        // The document goes, and the channel with it.
        (await owner.DeleteAsync($"/v1/documents/{id}")).Ok();
        Assert.Equal("", await events.ReadLineAsync().WaitAsync(ApiServer.Bound));
        Assert.Contains("CHANNEL_NOT_FOUND", await events.ReadLineAsync().WaitAsync(ApiServer.Bound), StringComparison.Ordinal);
        Assert.Equal(404, (int)(await visitor.GetAsync($"{path}/events")).Status);
    }

    [Fact]
    public async Task A_stopping_server_says_so()
    {
        var client = new RealtimeService.RealtimeServiceClient(_server.Channel);
        using var call = client.JoinChannel(new() { Channel = "app:lobby" }, _server.User().Metadata);
        Assert.NotNull((await NextAsync(call)).Joined);
        var stopping = _server.App.StopAsync();
        Assert.NotNull((await NextAsync(call)).Reconnect);
        Assert.False(await call.ResponseStream.MoveNext().WaitAsync(ApiServer.Bound));
        await stopping;
    }

    private async Task<StreamReader> OpenAsync(ApiUser user, string path, string accept = "application/x-ndjson")
    {
        using var request = user.Request(HttpMethod.Get, path);
        request.Headers.Add("Accept", accept);
        var response = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}");
        return new StreamReader(await response.Content.ReadAsStreamAsync());
    }

    private static async Task<JsonNode> NextAsync(StreamReader lines) =>
        JsonNode.Parse((await lines.ReadLineAsync().WaitAsync(ApiServer.Bound))!)!;

    private static async Task<JoinChannelResponse> NextAsync(AsyncServerStreamingCall<JoinChannelResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(ApiServer.Bound));
        return call.ResponseStream.Current;
    }

    // The sockets of calls that join a channel.
    private sealed class SocketWatch(List<Socket> sockets) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (http, following) =>
            {
                if (http.Request.Path.Value!.EndsWith("/JoinChannel", StringComparison.Ordinal) || http.Request.Path.Value.EndsWith("/events", StringComparison.Ordinal))
                {
                    sockets.Add(http.Features.Get<IConnectionSocketFeature>()!.Socket);
                }

                await following(http);
            });
            next(app);
        };
    }
}
