using Npgsql;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Bus;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>What nodes tell each other, and what happens when they cannot.</summary>
[Collection(PostgresCollection.Name)]
public sealed class BusTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    private static readonly BusOptions Quick = new() { Alive = TimeSpan.FromMilliseconds(100), Silence = TimeSpan.FromMilliseconds(1500) };

    private readonly string _channel = $"app:room-{Guid.NewGuid():n}";

    [Fact]
    public async Task A_stream_is_changed_through_any_node()
    {
        await using var other = await host.StartNodeAsync(new RealtimeOptions());
        var (alice, one, two) = (host.Documents.User(), host.Documents.Collection(), host.Documents.Collection());
        await using var follower = host.Node.Follow(alice.Caller, new Target { Id = 1, Collection = one });
        await follower.ReadyAsync(1);
        var request = new UpdateSubscriptionsRequest { StreamId = follower.Subscriber.StreamId, Add = { new Target { Id = 2, Collection = two } }, Remove = { 1 } };
        await other.Updates.RunAsync(alice.Caller, request, CancellationToken.None);
        await follower.ReadyAsync(2);
        var document = await alice.CreateAsync(two);
        await follower.HoldsAsync([document], target: 2);

        request.Add[0].Collection = "Not A Name";
        Assert.Equal("add[0].collection", (await CallFailure.Of(other.Updates.RunAsync(alice.Caller, request, CancellationToken.None))).Field);
        var stranger = await CallFailure.Of(other.Updates.RunAsync(host.Documents.User().Caller, request, CancellationToken.None));
        Assert.Equal("STREAM_NOT_FOUND", stranger.Reason);
    }

    [Fact]
    public async Task A_member_sends_through_any_node()
    {
        await using var other = await host.StartNodeAsync(new RealtimeOptions());
        await using var alice = await host.Node.JoinAsync(host.Documents.User().Caller, _channel);
        await using var bob = await host.Node.JoinAsync(host.Documents.User().Caller, _channel);
        await alice.PublishAsync("""{"n":1}""", through: other);
        await alice.SetAsync("""{"n":2}""", through: other);
        await bob.HearsAsync("""{"n":1}""");
        await bob.SeesAsync((alice, """{"n":2}"""));
    }

    [Fact]
    public async Task A_node_that_is_silent_is_gone_with_its_members()
    {
        await using var node = await host.StartNodeAsync(new RealtimeOptions(), bus: Quick);
        var user = host.Documents.User().Caller;
        await using var watcher = await node.JoinAsync(user, _channel);

        // A node that dies right after it said who is present.
        await using var dying = await host.Documents.Database.CreateNotificationChannel("vibe_bus").OpenAsync(CancellationToken.None);
        var key = $"{_channel} {DocumentsHost.App}";
        using var body = new BusWriter();
        body.Add(key).Add(new Presence { MemberId = "ghost", State = Someone.Body("{}") });
        await dying.SendAsync(BusFrames.Write(Guid.NewGuid(), 0, [body.For(BusKind.ChannelPresent)]), CancellationToken.None);
        await watcher.FrameAsync(static frame => frame.Presence is { } news && news.Joined.Any(static state => state.MemberId == "ghost"));
        await watcher.SeesAsync();
    }

    [Fact]
    public async Task A_node_that_stops_says_so()
    {
        var leaving = await host.StartNodeAsync(new RealtimeOptions());
        await using var watcher = await host.Node.JoinAsync(host.Documents.User().Caller, _channel);
        await using var member = await leaving.JoinAsync(host.Documents.User().Caller, _channel);
        await member.SetAsync("{}");
        await watcher.SeesAsync((member, "{}"));
        var peer = leaving.Bus.Node;
        await leaving.DisposeAsync();
        await watcher.SeesAsync();
        Assert.DoesNotContain(peer, host.Node.Bus.Peers);
    }

    [Fact]
    public async Task After_the_bus_was_lost_all_nodes_agree_again()
    {
        await using var other = await host.StartNodeAsync(new RealtimeOptions());
        var user = host.Documents.User().Caller;
        await using var stays = await host.Node.JoinAsync(user, _channel);
        await using var goes = await host.Node.JoinAsync(user, _channel);
        await using var near = await host.Node.JoinAsync(user, _channel);
        await using var far = await other.JoinAsync(user, _channel);
        await goes.SetAsync("{}");
        await far.SeesAsync((goes, "{}"));

        await TerminateAsync();
        // Within the node nothing has changed.
        await goes.SetAsync(null);
        await stays.SetAsync("""{"n":1}""");
        await stays.PublishAsync("""{"n":1}""");
        await near.HearsAsync("""{"n":1}""");
        await near.SeesAsync((stays, """{"n":1}"""));
        await far.SetAsync("""{"far":true}""");

        await far.SeesAsync((stays, """{"n":1}"""), (far, """{"far":true}"""));
        await near.SeesAsync((stays, """{"n":1}"""), (far, """{"far":true}"""));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(5_900)]
    [InlineData(100_000)]
    public void Messages_of_any_size_come_through(int size)
    {
        var (node, to) = (Guid.NewGuid(), Guid.NewGuid());
        var bytes = new byte[size];
        new Random(1).NextBytes(bytes);
        var payloads = BusFrames.Write(node, 7, [new BusMessage(BusKind.Alive, null, bytes), new BusMessage(BusKind.Call, to, bytes)]);
        Assert.All(payloads, static payload => Assert.InRange(payload.Length, 1, Vibe.Postgres.Notifications.NotificationChannel.MaxPayload));
        Assert.Equal(payloads.Count, payloads.Distinct(StringComparer.Ordinal).Count());

        var frames = new BusFrames.Assembler();
        // Whoever begins to listen in the middle of a frame misses that one only.
        foreach (var payload in payloads.Skip(1))
        {
            Assert.Empty(frames.Take(payload, out _));
        }

        var messages = payloads.SelectMany(payload => frames.Take(payload, out _)).ToList();
        Assert.Equal([(BusKind.Alive, null), (BusKind.Call, to)], messages.Select(static message => (message.Kind, message.To)));
        Assert.All(messages, message => Assert.Equal(bytes, message.Body.ToArray()));
    }

    private async Task TerminateAsync()
    {
        await using var connection = new NpgsqlConnection(host.Documents.Connection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name like 'vibe-bus-%'", connection);
        Assert.True((long)(await command.ExecuteScalarAsync())! >= 4);
    }
}
