using Vibe.Documents.V1;
using Vibe.Postgres.Replication;
using Vibe.Realtime.V1;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Hub;
using Vibe.Server.Realtime.Subscriptions;

namespace Vibe.Server.Tests.Realtime;

public sealed class TargetRestartTests
{
    [Fact]
    public void What_waited_before_a_target_starts_again_is_not_sent_after_newer_versions()
    {
        var (options, epoch, start) = (new RealtimeOptions(), new FeedEpoch("one"), Snapshot.Before(10));
        var hub = new ChangeHub(options);
        var caller = new Caller();
        using var subscriber = new Subscriber(caller, "", options, TimeProvider.System);
        subscriber.Update([TargetPlan.Read(new Target { Collection = "notes", Scope = DocumentScope.Public }, "", caller)], []);
        hub.Add(subscriber);
        var target = Assert.Single(subscriber.Take(wantsCheckpoint: false).Starting);
        hub.Open(epoch, start);
        hub.Attach(target, null);
        hub.BetweenTransactions(_ => target.GoLive(start));

        // The feed broke. The stream has noticed, and is about to start again when the feed is back and has news.
        hub.Close();
        Assert.True(subscriber.Take(wantsCheckpoint: false).IsBehind);
        hub.Open(epoch, start);
        hub.Publish(Version(transaction: 10, revision: 1));
        hub.Attach(target, start);
        hub.Publish(Version(transaction: 11, revision: 2));

        List<TargetNews> told = [];
        hub.BetweenTransactions(_ => told = target.GoLive(start));
        Assert.Equal([1, 2], told.Select(static news => news.Document.Row.Revision));
        Assert.Empty(subscriber.Take(wantsCheckpoint: false).News);

        hub.Publish(Version(transaction: 12, revision: 3));
        Assert.Equal(3, Assert.Single(subscriber.Take(wantsCheckpoint: false).News).Document.Row.Revision);
    }

    private static CommittedChanges Version(ulong transaction, long revision)
    {
        var row = new DocumentRow
        {
            Id = Guid.Empty, Collection = "notes", Owner = "did:web:vibe.test:users:ann", App = "did:web:vibe.test:apps:notes", Key = null,
            Data = "{}"u8.ToArray(), Acl = "{}"u8.ToArray(), Edges = "[]"u8.ToArray(), CreateTime = default, UpdateTime = default,
            DeleteTime = null, Revision = revision,
        };
        return new CommittedChanges(transaction, [new FeedChange(null, FeedDocument.Of(row, new ReadRules(2, [], []), transaction))]);
    }
}
