using Microsoft.Extensions.Logging.Abstractions;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Documents;
using Vibe.Server.Hosting;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Subscriptions;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>Traces that are too old to be told go, and nobody goes on from before them.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PurgeTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    private readonly FeedSweep _sweep = new(host.Documents.Database, new FeedDatabase(host.Documents.Database), new RealtimeOptions());

    [Fact]
    public async Task Old_tombstones_and_past_rules_go_and_cursors_from_before_have_expired()
    {
        var (alice, bob, collection) = (host.Documents.User(), host.Documents.User(), host.Documents.Collection());
        List<Document> all = [];
        for (var n = 0; n < 5; n++)
        {
            all.Add(await alice.CreateAsync(collection, acl: Someone.Acl([bob.Did])));
        }

        var target = new Target { Collection = collection, Scope = DocumentScope.All, Initial = true };
        await using var follower = host.Node.Follow(bob.Caller, target);
        await follower.ReadyAsync();
        var before = follower.Cursor;
        await alice.DeleteAsync(all[0].Id);
        await alice.UpdateAsync(all[1].Id, acl: Someone.Acl(), mask: ["acl"]);
        await PassAMonthAsync();
        await alice.DeleteAsync(all[2].Id);
        await alice.UpdateAsync(all[3].Id, acl: Someone.Acl(), mask: ["acl"]);
        await follower.HoldsAsync([all[4]]);
        await using var node = await host.StartNodeAsync();
        var after = await CursorNowAsync(node, bob, collection);

        await _sweep.SweepAsync(CancellationToken.None);
        Assert.Equal(2, await TracesAsync(collection));
        await using var late = node.Follow(bob.Caller, new Target { Collection = collection, Scope = DocumentScope.All, Cursor = before });
        var error = (await late.FrameAsync(static frame => frame.TargetError is not null)).TargetError;
        Assert.Equal("CURSOR_EXPIRED", error.Reason);

        // The one that comes with the refusal is good, and so is one from after the traces that went.
        foreach (var cursor in (string[])[error.Metadata["earliestCursor"], after])
        {
            await using var resumed = node.Follow(bob.Caller, new Target { Collection = collection, Scope = DocumentScope.All, Cursor = cursor });
            await resumed.ReadyAsync();
            Assert.DoesNotContain(resumed.Frames, static frame => frame.TargetError is not null);
        }
    }

    [Fact]
    public async Task What_is_young_stays()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var follower = host.Node.Follow(alice.Caller, new Target { Collection = collection });
        await follower.ReadyAsync();
        await alice.DeleteAsync((await alice.CreateAsync(collection)).Id);
        await _sweep.SweepAsync(CancellationToken.None);
        await _sweep.SweepAsync(CancellationToken.None);
        Assert.Equal(1, await TracesAsync(collection));
        await using var resumed = host.Node.Follow(alice.Caller, new Target { Collection = collection, Cursor = follower.Cursor });
        await resumed.ReadyAsync();
    }

    [Fact]
    public async Task Who_catches_up_while_traces_go_is_told_that_the_cursor_has_expired()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        var cursor = await CursorNowAsync(host.Node, alice, collection);
        for (var n = 0; n < 3; n++)
        {
            await alice.BatchAsync(Enumerable.Range(0, 100).Select(_ => new Write { Create = new Document { Collection = collection, Data = Someone.Body("{}") } }));
        }

        await PassAMonthAsync();
        await using var node = await host.StartNodeAsync();
        await using var follower = node.Follow(alice.Caller, new Target { Id = 1, Collection = collection });
        await follower.ReadyAsync(1);
        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        follower.Blocked = blocked;
        follower.Subscriber.Update([TargetPlan.Read(new Target { Id = 2, Collection = collection, Cursor = cursor }, "", alice.Caller)], []);
        await follower.BlockedAsync();
        await _sweep.SweepAsync(CancellationToken.None);
        follower.Blocked = null;
        blocked.SetResult();
        var error = await follower.FrameAsync(static frame => frame.TargetError is not null);
        Assert.Equal("CURSOR_EXPIRED", error.TargetError.Reason);
    }

    [Fact]
    public async Task One_node_sweeps_at_a_time()
    {
        var database = host.Documents.Database;
        using var sweeper = new Sweeper(
            database, [new RequestSweep(database, new DocumentOptions()), _sweep], TimeProvider.System, NullLogger<Sweeper>.Instance);
        await using (await database.Owner.AcquireLockAsync("vibe/sweep", CancellationToken.None))
        {
            Assert.False(await sweeper.SweepAsync(CancellationToken.None));
        }

        Assert.True(await sweeper.SweepAsync(CancellationToken.None));
    }

    // All that has happened was a month ago.
    private async Task PassAMonthAsync()
    {
        await _sweep.SweepAsync(CancellationToken.None);
        await host.Documents.Database.Owner.ExecuteAsync(
            $"update vibe.feed_marks m set time = now() - interval '31 days', horizon = pg_snapshot_xmin(pg_current_snapshot())", CancellationToken.None);
    }

    private static async Task<string> CursorNowAsync(Node node, Someone someone, string collection)
    {
        await using var follower = node.Follow(someone.Caller, new Target { Collection = collection });
        await follower.ReadyAsync();
        return follower.Cursor;
    }

    private async Task<int> TracesAsync(string collection) => await host.Documents.Database.Owner.QueryFirstAsync(
        $"""
        select (select count(*) from vibe.documents d where d.delete_time is not null and d.collection = {collection})::int
          + (select count(*) from vibe.doc_past_rules r where r.collection = {collection})::int
        """,
        static row => row.GetInt32(0), CancellationToken.None);
}
