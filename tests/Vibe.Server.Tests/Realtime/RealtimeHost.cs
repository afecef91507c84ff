using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Bus;
using Vibe.Server.Realtime.Channels;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Hub;
using Vibe.Server.Realtime.Subscriptions;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>A database with its documents, and nodes that follow it.</summary>
public class RealtimeHost(EmbeddedClusterFixture cluster) : IAsyncLifetime
{
    private static readonly byte[] CursorKey = RandomNumberGenerator.GetBytes(32);

    // So that a node is not taken for gone, nor a call for lost, because the machine stood still.
    private static readonly BusOptions Patient = new() { Silence = TimeSpan.FromMinutes(1), CallTimeout = TimeSpan.FromSeconds(30) };

    internal DocumentsHost Documents { get; } = new(cluster);

    internal Node Node { get; private set; } = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        await Documents.InitializeAsync();
        Node = await StartNodeAsync();
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        await Node.DisposeAsync();
        await Documents.DisposeAsync();
    }

    private protected virtual FeedKind Feed => FeedKind.Replication;

    /// <summary>One more node on the same database.</summary>
    internal Task<Node> StartNodeAsync(
        RealtimeOptions? options = null, ChannelOptions? channels = null, BusOptions? bus = null, Database? connections = null,
        Func<LogSource, CancellationToken, IAsyncEnumerable<FeedItem>>? tampering = null) => StartAsync(new Node(
        Documents, (options ?? new RealtimeOptions()) with { Feed = Feed, FeedPatience = TimeSpan.FromMinutes(1) }, new FeedCursors(CursorKey), channels ?? new ChannelOptions(),
        bus ?? Patient, Documents.Database.CreateFeed("vibe_feed"), NullLoggerFactory.Instance, connections)
        {
            Tampering = tampering,
        });

    /// <summary>One more node, which chooses its feed itself.</summary>
    internal Task<Node> StartNodeAsync(ReplicationFeed replication, ILoggerFactory logs) => StartAsync(new Node(
        Documents, new RealtimeOptions(), new FeedCursors(CursorKey), new ChannelOptions(), Patient, replication, logs));

    private async Task<Node> StartAsync(Node node)
    {
        await node.StartAsync();
        if (Node is { } first)
        {
            await Task.WhenAll(node.MeetsAsync(first), first.MeetsAsync(node));
        }

        return node;
    }

    /// <summary>Cuts the connections of all feeds.</summary>
    internal async Task BreakFeedsAsync()
    {
        await using var connection = new NpgsqlConnection(Documents.Connection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'vibe-feed' and datname = current_database()",
            connection);
        await command.ExecuteNonQueryAsync();
    }
}

/// <summary>The same with nodes that poll the tables.</summary>
public sealed class PollingHost(EmbeddedClusterFixture cluster) : RealtimeHost(cluster)
{
    private protected override FeedKind Feed => FeedKind.Polling;
}

/// <summary>The realtime feature of one server, without the wire.</summary>
internal sealed class Node : IAsyncDisposable
{
    private readonly FeedReader _reader;
    private readonly SubscriberServices _services;
    private readonly ChannelUpkeep _upkeep;
    private readonly LogSource _log;
    private readonly CancellationTokenSource _stop = new();
    private Task _reading = Task.CompletedTask;
    private readonly PeerWatch _peers = new();

    public Node(
        DocumentsHost documents, RealtimeOptions options, FeedCursors cursors, ChannelOptions channels, BusOptions bus, ReplicationFeed replication,
        ILoggerFactory logs, Database? connections = null)
    {
        var database = connections ?? documents.Database;
        var store = new DocumentStore(database);
        Bus = new NodeBus(database.CreateNotificationChannel("vibe_bus"), bus, TimeProvider.System, NullLogger<NodeBus>.Instance);
        Bus.Add(_peers);
        var calls = new NodeCalls(Bus, bus, TimeProvider.System);
        Channels = new ChannelHub(Bus, channels, TimeProvider.System);
        ChannelCalls = new ChannelCalls(Channels, store, Access, calls, channels, TimeProvider.System);
        Subscribers = new Subscribers();
        Updates = new SubscriptionUpdates(Subscribers, calls);
        _upkeep = new ChannelUpkeep(Channels, store, TimeProvider.System, NullLogger<ChannelUpkeep>.Instance);
        Hub = new ChangeHub(options) { Watcher = Channels };
        Cursors = cursors;
        Options = options;
        var feed = Feed = new FeedDatabase(database);
        var time = TimeProvider.System;
        _log = new LogSource(replication, feed, options, time);
        _reader = new FeedReader(
            _log, new PollingSource(feed, options, time), feed, Hub, options, time,
            logs.CreateLogger<FeedReader>());
        var turns = new CatchUpTurns(options);
        Missed = new CatchUpStore(database, feed, turns);
        var start = new TargetStart(
            Hub, feed, cursors, Missed, new QueryStore(database, documents.Catalog), turns, options,
            TimeProvider.System);
        _services = new SubscriberServices(Hub, feed, cursors, start, Access, options, TimeProvider.System, NullLogger<Subscriber>.Instance);
    }

    public ChangeHub Hub { get; }

    public NodeBus Bus { get; }

    public ChannelHub Channels { get; }

    public ChannelCalls ChannelCalls { get; }

    public Subscribers Subscribers { get; }

    public SubscriptionUpdates Updates { get; }

    public FeedCursors Cursors { get; }

    public RealtimeOptions Options { get; }

    public FeedDatabase Feed { get; }

    public CatchUpStore Missed { get; }

    /// <summary>Stands between what is read from the log and the hub. Null for the product's own reader.</summary>
    public Func<LogSource, CancellationToken, IAsyncEnumerable<FeedItem>>? Tampering { get; init; }

    public RevocationSet Access { get; } = new(TimeProvider.System);

    public async Task StartAsync()
    {
        await BeginAsync();
        await Hub.WhenLiveAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>Starts, and does not wait until the feed is live.</summary>
    public async Task BeginAsync()
    {
        await Bus.StartAsync(CancellationToken.None);
        await _upkeep.StartAsync(CancellationToken.None);
        if (Tampering is { } tampering)
        {
            _reading = ReadAsync(tampering(_log, _stop.Token));
        }
        else
        {
            await _reader.StartAsync(CancellationToken.None);
            _reading = _reader.ExecuteTask!;
        }
    }

    /// <summary>Waits until this node knows another one.</summary>
    public Task MeetsAsync(Node other) => _peers.Of(other.Bus.Node).Task.WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>Joins a channel, and waits until that is done.</summary>
    public async Task<Talker> JoinAsync(Caller caller, string channel)
    {
        var talker = new Talker(this, caller, channel);
        await talker.JoinedAsync();
        return talker;
    }

    /// <summary>Follows targets as a caller.</summary>
    public Follower Follow(Caller caller, params Target[] targets) => Follow(caller, earlier: null, targets);

    /// <summary>The same for a client that has documents already.</summary>
    public Follower Follow(Caller caller, Follower? earlier, params Target[] targets) =>
        Follow(caller, earlier, [.. targets.Select((target, index) => TargetPlan.Read(target, $"targets[{index}].", caller))]);

    /// <summary>Follows targets that are read already.</summary>
    public Follower Follow(Caller caller, Follower? earlier, IReadOnlyList<TargetPlan> plans)
    {
        var subscriber = new Subscriber(caller, Guid.NewGuid().ToString(), Options, TimeProvider.System);
        Subscribers.Add(subscriber);
        subscriber.Update(plans, []);
        var follower = new Follower(subscriber, earlier);
        follower.Run(new SubscriberLoop(_services, subscriber, follower, failsWithTarget: false).RunAsync);
        return follower;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reader.StopAsync(CancellationToken.None);
        await _reading;
        _stop.Dispose();
        await _upkeep.StopAsync(CancellationToken.None);
        await Bus.StopAsync(CancellationToken.None);
        _reader.Dispose();
        _upkeep.Dispose();
        Bus.Dispose();
    }

    private async Task ReadAsync(IAsyncEnumerable<FeedItem> items)
    {
        try
        {
            var epoch = await Feed.ReadEpochAsync(_stop.Token);
            await foreach (var (changes, position) in items)
            {
                if (changes is not null)
                {
                    Hub.Publish(changes);
                }
                else if (Hub.Confirmed is null)
                {
                    Hub.Open(epoch, position!);
                }
                else
                {
                    Hub.Confirm(position!);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private sealed class PeerWatch : IBusListener
    {
        private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _found = new();

        public TaskCompletionSource Of(Guid node) => _found.GetOrAdd(node, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

        public void PeerFound(Guid node) => Of(node).TrySetResult();

        public void PeerLost(Guid node)
        {
        }

        public void Receive(Guid from, BusKind kind, ReadOnlyMemory<byte> body)
        {
        }

        public void Resumed()
        {
        }
    }
}
