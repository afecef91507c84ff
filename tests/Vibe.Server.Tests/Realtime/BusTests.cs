using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Vibe.Postgres.Notifications;
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
    private static readonly BusOptions Quick = new() { Alive = TimeSpan.FromMilliseconds(100), Silence = TimeSpan.FromSeconds(3) };

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
        await using var dying = await Channel().OpenAsync(CancellationToken.None);
        var key = $"{_channel} {DocumentsHost.App}";
        using var body = new BusWriter();
        body.Add(key).Add(new Presence { MemberId = "ghost", State = Someone.Body("{}") });
        await dying.SendAsync(BusFrames.Write(Guid.NewGuid(), 0, [body.For(BusKind.ChannelPresent)]), CancellationToken.None);
        await watcher.FrameAsync(static frame => frame.Presence is { } news && news.Joined.Any(static state => state.MemberId == "ghost"));
        await watcher.SeesAsync();
    }

    [Fact]
    public async Task A_node_that_stood_still_does_not_take_the_others_for_gone()
    {
        var time = new LeapingTime();
        using var bus = new NodeBus(Channel(), Quick with { Silence = TimeSpan.FromMinutes(1) }, time, NullLogger<NodeBus>.Instance);
        var others = new Others();
        bus.Add(others);
        await bus.StartAsync(CancellationToken.None);
        await others.Found.Task.WaitAsync(Follower.Patience);
        await BeatsAsync();
        time.Leap(TimeSpan.FromHours(1));
        await BeatsAsync();
        Assert.Contains(host.Node.Bus.Node, bus.Peers);
        Assert.Equal(0, others.Lost);
        await bus.StopAsync(CancellationToken.None);

        // When the third beat is heard, the one before is over.
        async Task BeatsAsync()
        {
            await using var ear = await Channel().OpenAsync(CancellationToken.None);
            var frames = new BusFrames.Assembler();
            for (var beats = 0; beats < 3;)
            {
                frames.Take(await ear.ReceiveAsync(CancellationToken.None).WaitAsync(Follower.Patience), out var from);
                beats += from == bus.Node ? 1 : 0;
            }
        }
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
        Assert.All(payloads, static payload => Assert.InRange(payload.Length, 1, NotificationChannel.MaxPayload));
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

    private NotificationChannel Channel() => host.Documents.Database.CreateNotificationChannel("vibe_bus");

    private async Task TerminateAsync()
    {
        await using var connection = new NpgsqlConnection(host.Documents.Connection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name like 'vibe-bus-%'", connection);
        Assert.True((long)(await command.ExecuteScalarAsync())! >= 4);
    }
    private sealed class Others : IBusListener
    {
        private int _lost;

        public TaskCompletionSource Found { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Lost => Volatile.Read(ref _lost);

        public void PeerFound(Guid node) => Found.TrySetResult();

        public void PeerLost(Guid node) => Interlocked.Increment(ref _lost);

        public void Receive(Guid from, BusKind kind, ReadOnlyMemory<byte> body)
        {
        }

        public void Resumed()
        {
        }
    }

    // Time of a process that was halted: the clock has gone on.
    private sealed class LeapingTime : TimeProvider
    {
        private long _ahead;

        public void Leap(TimeSpan time) => Interlocked.Add(ref _ahead, (long)(time.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _ahead);
    }
}
