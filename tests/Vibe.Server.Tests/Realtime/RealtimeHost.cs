using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Hub;
using Vibe.Server.Realtime.Subscriptions;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>A database with its documents, and nodes that follow it.</summary>
public sealed class RealtimeHost(EmbeddedClusterFixture cluster) : IAsyncLifetime
{
    private static readonly byte[] CursorKey = RandomNumberGenerator.GetBytes(32);

    internal DocumentsHost Documents { get; } = new(cluster);

    internal Node Node { get; private set; } = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        await Documents.InitializeAsync();
        Node = await StartNodeAsync(new RealtimeOptions());
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        await Node.DisposeAsync();
        await Documents.DisposeAsync();
    }

    /// <summary>One more node on the same database.</summary>
    internal async Task<Node> StartNodeAsync(RealtimeOptions options)
    {
        var node = new Node(Documents, options, new FeedCursors(CursorKey));
        await node.StartAsync();
        return node;
    }
}

/// <summary>The realtime feature of one server, without the wire.</summary>
internal sealed class Node : IAsyncDisposable
{
    private readonly FeedReader _reader;
    private readonly SubscriberServices _services;

    public Node(DocumentsHost documents, RealtimeOptions options, FeedCursors cursors)
    {
        Hub = new ChangeHub(options);
        Cursors = cursors;
        Options = options;
        var feed = new FeedDatabase(documents.Database);
        _reader = new FeedReader(
            documents.Database.CreateFeed("vibe_feed"), feed, Hub, options, TimeProvider.System, NullLogger<FeedReader>.Instance);
        var start = new TargetStart(
            Hub, feed, cursors, new CatchUpStore(documents.Database), new QueryStore(documents.Database, documents.Catalog), options, TimeProvider.System);
        _services = new SubscriberServices(Hub, feed, cursors, start, Access, options, TimeProvider.System, NullLogger<Subscriber>.Instance);
    }

    public ChangeHub Hub { get; }

    public FeedCursors Cursors { get; }

    public RealtimeOptions Options { get; }

    public RevocationSet Access { get; } = new(TimeProvider.System);

    public async Task StartAsync()
    {
        await _reader.StartAsync(CancellationToken.None);
        await Hub.WhenLiveAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>Follows targets as a caller.</summary>
    public Follower Follow(Caller caller, params Target[] targets) => Follow(caller, earlier: null, targets);

    /// <summary>The same for a client that has documents already.</summary>
    public Follower Follow(Caller caller, Follower? earlier, params Target[] targets)
    {
        var subscriber = new Subscriber(caller, "", Options, TimeProvider.System);
        subscriber.Update([.. targets.Select((target, index) => TargetPlan.Read(target, $"targets[{index}].", caller))], []);
        var follower = new Follower(subscriber, earlier);
        follower.Run(new SubscriberLoop(_services, subscriber, follower, failsWithTarget: false));
        return follower;
    }

    public async ValueTask DisposeAsync()
    {
        await _reader.StopAsync(CancellationToken.None);
        _reader.Dispose();
    }
}
