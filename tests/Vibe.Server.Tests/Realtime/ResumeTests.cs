using System.Data;
using Npgsql;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Subscriptions;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>Going on from a cursor: from memory, from the tables, on another node, after the feed broke.</summary>
[Collection(PostgresCollection.Name)]
public class ResumeTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Going_on_from_a_cursor_tells_what_was_missed(bool fromMemory)
    {
        var (alice, bob, collection) = (host.Documents.User(), host.Documents.User(), host.Documents.Collection());
        var target = new Target { Collection = collection, Scope = DocumentScope.All, Filter = "data.n > 0", Initial = true };
        var all = new List<Document>();
        for (var n = 0; n < 6; n++)
        {
            all.Add(await alice.CreateAsync(collection, """{"n":1}""", Someone.Acl([bob.Did])));
        }

        var follower = host.Node.Follow(bob.Caller, target);
        await follower.HoldsAsync(all);
        var cursor = await CursorAfterAsync(follower, alice, collection);
        await follower.DisposeAsync();

        await alice.CreateAsync(host.Documents.Collection(), """{"n":3}""", Someone.Acl(["*"]));
        var changed = await alice.UpdateAsync(all[0].Id, """{"n":2}""");
        await alice.DeleteAsync(all[1].Id);
        await alice.UpdateAsync(all[2].Id, acl: Someone.Acl(), mask: ["acl"]);
        await alice.UpdateAsync(all[3].Id, """{"n":0}""");
        await alice.UpdateAsync(all[4].Id, acl: Someone.Acl([bob.Did], deny: [bob.Did]), mask: ["acl"]);
        var added = await alice.CreateAsync(collection, """{"n":7}""", Someone.Acl(["users"]));

        target = target.Clone();
        target.Cursor = cursor;
        var node = fromMemory ? host.Node : await host.StartNodeAsync();
        await using (var resumed = node.Follow(bob.Caller, follower, target))
        {
            await resumed.ReadyAsync();
            await resumed.HoldsAsync([changed, all[5], added]);
            var late = await alice.CreateAsync(collection, """{"n":8}""", Someone.Acl(["*"]));
            await resumed.HoldsAsync([changed, all[5], added, late]);
        }

        if (!fromMemory)
        {
            await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_target_is_not_ready_before_the_write_it_asks_for_was_told()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var transaction = await host.Documents.Database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, CancellationToken.None);
        var number = await transaction.QueryFirstAsync($"select pg_current_xact_id()", static row => row.GetXid8(0), CancellationToken.None);
        var plan = TargetPlan.Read(new Target { Collection = collection }, "", alice.Caller) with { AtLeast = WritePoint.Of(host.Node.Hub.Epoch!, number) };
        await using var waiting = host.Node.Follow(alice.Caller, earlier: null, [plan]);
        await using var witness = host.Node.Follow(alice.Caller, new Target { Collection = collection });
        await witness.ReadyAsync();
        await alice.CreateAsync(collection);
        await witness.CheckpointAsync();
        Assert.Empty(waiting.Frames);

        await transaction.CommitAsync(CancellationToken.None);
        await waiting.ReadyAsync();
        Assert.True(host.Node.Hub.Confirmed!.Sees(number));
    }

    [Fact]
    public async Task Catching_up_names_no_document_that_was_never_in_sight()
    {
        var (alice, bob, collection) = (host.Documents.User(), host.Documents.User(), host.Documents.Collection());
        const string Certificate = "cert:did:web:gov.test#Resident";
        var secret = await alice.CreateAsync(collection);
        var residents = await alice.CreateAsync(collection, acl: Someone.Acl([Certificate]));
        var everyones = await alice.CreateAsync(collection, acl: Someone.Acl(["*"]));
        var allButHis = await alice.CreateAsync(collection, acl: Someone.Acl(["users", bob.Did], deny: [bob.Did]));
        var onceHis = await alice.CreateAsync(collection, acl: Someone.Acl(["users"], deny: [bob.Did]));
        var follower = host.Node.Follow(bob.Caller, new Target { Collection = collection, Scope = DocumentScope.All });
        await follower.ReadyAsync();
        var cursor = await CursorAfterAsync(follower, alice, collection);
        await follower.DisposeAsync();

        await alice.UpdateAsync(secret.Id, acl: Someone.Acl(deny: [bob.Did]), mask: ["acl"]);
        await alice.UpdateAsync(residents.Id, acl: Someone.Acl([Certificate], deny: [bob.Did]), mask: ["acl"]);
        await alice.UpdateAsync(everyones.Id, acl: Someone.Acl(["*"], deny: [bob.Did]), mask: ["acl"]);
        await alice.DeleteAsync(secret.Id);
        await CloseAsync(allButHis);
        await CloseAsync(onceHis);
        await alice.UpdateAsync(onceHis.Id, acl: Someone.Acl(["users"]), mask: ["acl"]);
        await CloseAsync(onceHis);
        await using var node = await host.StartNodeAsync();
        await using var resumed = node.Follow(bob.Caller, new Target { Collection = collection, Scope = DocumentScope.All, Cursor = cursor });
        await resumed.ReadyAsync();
        var named = resumed.Frames.SelectMany(static frame => frame.Batch?.Changes ?? []).SelectMany(static change => change.Removed)
            .Select(static removed => removed.Id).ToList();
        Assert.Contains(everyones.Id, named);
        Assert.DoesNotContain(secret.Id, named);
        Assert.DoesNotContain(residents.Id, named);
        Assert.Contains(onceHis.Id, named);
        Assert.DoesNotContain(allButHis.Id, named);

        Task CloseAsync(Document document) => alice.UpdateAsync(document.Id, acl: Someone.Acl([]), mask: ["acl"]);
    }

    [Fact]
    public async Task A_cursor_is_good_for_one_caller_with_the_same_rights()
    {
        var (alice, bob, collection) = (host.Documents.User(), host.Documents.User(), host.Documents.Collection());
        await using var follower = host.Node.Follow(alice.Caller, new Target { Collection = collection });
        await follower.ReadyAsync();
        var cursor = follower.Cursor;
        Assert.Equal("CURSOR_INVALID", await ReasonAsync(bob, cursor));
        Assert.Equal("CURSOR_INVALID", await ReasonAsync(alice, "x" + cursor[1..]));
        Assert.Equal("CURSOR_INVALID", await ReasonAsync(alice, "nonsense"));
        Assert.Equal("CURSOR_EXPIRED", await ReasonAsync(alice.With($"documents:{collection}:read"), cursor));

        async Task<string> ReasonAsync(Someone someone, string given)
        {
            await using var resumed = host.Node.Follow(
                someone.Caller, new Target { Collection = collection, Cursor = given }, new Target { Id = 1, Collection = collection });
            var error = (await resumed.FrameAsync(static frame => frame.TargetError is not null)).TargetError;
            Assert.NotEmpty(error.Metadata["earliestCursor"]);
            await resumed.ReadyAsync(1);
            return error.Reason;
        }
    }

    [Fact]
    public async Task The_earliest_cursor_brings_everything_that_changed_since_the_floor()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        var document = await alice.CreateAsync(collection);
        await using var refused = host.Node.Follow(alice.Caller, new Target { Collection = collection, Cursor = "nonsense" });
        var earliest = (await refused.FrameAsync(static frame => frame.TargetError is not null)).TargetError.Metadata["earliestCursor"];
        await using var resumed = host.Node.Follow(alice.Caller, new Target { Collection = collection, Cursor = earliest });
        await resumed.HoldsAsync([document]);
    }

    [Fact]
    public async Task When_the_feed_breaks_streams_go_on_without_a_gap()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var node = await host.StartNodeAsync();
        await using var follower = node.Follow(alice.Caller, new Target { Collection = collection, Initial = true });
        await follower.ReadyAsync();
        List<Document> all = [];
        for (var round = 0; round < 5; round++)
        {
            all.Add(await alice.CreateAsync(collection));
            await host.BreakFeedsAsync();
            all.Add(await alice.CreateAsync(collection));
        }

        await follower.HoldsAsync(all);
    }

    [Fact]
    public async Task When_the_feed_breaks_while_a_target_starts_nothing_is_left_out()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        var before = await alice.CreateAsync(collection);
        await using var node = await host.StartNodeAsync();
        await using var follower = await StartBlockedAsync(node, alice, collection);
        await host.BreakFeedsAsync();
        var during = await alice.CreateAsync(collection);
        await node.Hub.WhenSeenAsync(await NumberAsync(), CancellationToken.None);
        Unblock(follower);
        await follower.HoldsAsync([before, during], target: 1);
    }

    [Fact]
    public async Task When_the_database_is_lost_among_the_initial_documents_those_deleted_meanwhile_are_taken_back()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        List<Document> all = [];
        for (var n = 0; n < 3; n++)
        {
            all.AddRange(await alice.BatchAsync(
                Enumerable.Range(0, 100).Select(_ => new Write { Create = new Document { Collection = collection, Data = Someone.Body("{}") } })));
        }

        // One connection for everything that reads, and somebody else has it: the second page is not to be had.
        await using var connections = new Database(
            new DatabaseOptions { ConnectionString = host.Documents.Connection, MaxRequestConnections = 1, ConnectTimeout = TimeSpan.FromSeconds(5) },
            TimeProvider.System);
        await using var node = await host.StartNodeAsync(connections: connections);
        await using var follower = await StartBlockedAsync(node, alice, collection);
        var gone = all.MaxBy(static document => document.Id, StringComparer.Ordinal)!;
        await alice.DeleteAsync(gone.Id);
        await using (await connections.BeginAsync(RequestContext.Anonymous, Access.Read, IsolationLevel.ReadCommitted, CancellationToken.None))
        {
            Unblock(follower);
            await follower.FrameAsync(frame => frame.ToString().Contains(gone.Id, StringComparison.Ordinal));
            await follower.FrameAsync(static frame => frame.FrameCase == SubscribeResponse.FrameOneofCase.None);
        }

        await follower.HoldsAsync(all.Where(document => document.Id != gone.Id), target: 1);
    }

    [Fact]
    public async Task What_closes_and_opens_for_others_while_somebody_catches_up_is_taken_back()
    {
        var (alice, bob, collection) = (host.Documents.User(), host.Documents.User(), host.Documents.Collection());
        var target = new Target { Id = 1, Collection = collection, Scope = DocumentScope.Shared, Initial = true };
        var document = await alice.CreateAsync(collection, acl: Someone.Acl(["users"]));
        var follower = host.Node.Follow(bob.Caller, target);
        await follower.HoldsAsync([document], target: 1);
        await follower.ReadyAsync(1);
        await follower.DisposeAsync();
        await using var node = await host.StartNodeAsync();

        await alice.UpdateAsync(document.Id, acl: Someone.Acl(), mask: ["acl"]);
        var others = await CreateAsync(alice, collection, 300, Someone.Acl([bob.Did]));
        await using var resumed = await StartBlockedAsync(node, bob, target.With(follower.Cursor), follower);

        // What was read shows no trace of it. Now it is there again, for everyone, and so no longer shared.
        await alice.UpdateAsync(document.Id, acl: Someone.Acl(["*"]), mask: ["acl"]);
        Unblock(resumed);
        await resumed.ReadyAsync(1);
        await resumed.HoldsAsync(others, target: 1);
    }

    [Fact]
    public async Task What_a_transaction_that_began_long_ago_changes_while_somebody_catches_up_is_taken_back()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        var target = new Target { Id = 1, Collection = collection, Filter = "data.n = 1", Initial = true };
        var document = await alice.CreateAsync(collection, """{"n":1}""");
        var follower = host.Node.Follow(alice.Caller, target);
        await follower.HoldsAsync([document], target: 1);
        await follower.ReadyAsync(1);
        await follower.DisposeAsync();
        await using var node = await host.StartNodeAsync();

        await using var connection = new NpgsqlConnection(host.Documents.Connection);
        await connection.OpenAsync();
        await using var old = await connection.BeginTransactionAsync();
        await using var number = new NpgsqlCommand("select pg_current_xact_id()::text", connection);
        await number.ExecuteScalarAsync();

        // Those with smaller numbers have been read, three pages of them, when it changes what was to come last.
        var others = await CreateAsync(alice, collection, 1100, acl: null);
        await alice.UpdateAsync(document.Id, """{"n":2}""");
        await using var resumed = await StartBlockedAsync(node, alice, target.With(follower.Cursor), follower);
        await using var change = new NpgsqlCommand("update vibe.documents set data = '{\"n\":3}' where id = $1", connection);
        change.Parameters.Add(new() { Value = Guid.Parse(document.Id) });
        Assert.Equal(1, await change.ExecuteNonQueryAsync());
        await old.CommitAsync();
        Unblock(resumed);
        await resumed.ReadyAsync(1);
        await resumed.HoldsAsync(others, target: 1);
    }

    [Fact]
    public async Task A_client_that_does_not_read_falls_behind_and_catches_up()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var node = await host.StartNodeAsync(new RealtimeOptions { MaxQueuedBytes = 20_000 });
        await using var follower = node.Follow(alice.Caller, new Target { Collection = collection, Initial = true });
        await follower.ReadyAsync();
        var elsewhere = host.Documents.Collection();
        await using var witness = node.Follow(alice.Caller, new Target { Collection = elsewhere });
        await witness.ReadyAsync();
        follower.Blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var text = new string('x', 1000);
        List<Document> all = [];
        for (var n = 0; n < 100; n++)
        {
            all.Add(await alice.CreateAsync(collection, $$"""{"n":{{n}},"text":"{{text}}"}"""));
        }

        await alice.DeleteAsync(all[0].Id);

        // Once another stream has what was written last, all before was handed out, and more waits than may.
        await witness.HoldsAsync([await alice.CreateAsync(elsewhere)]);
        var blocked = follower.Blocked;
        follower.Blocked = null;
        blocked.SetResult();
        await follower.HoldsAsync(all.Skip(1));

        // What waited was dropped, and the target started again from the last cursor; twice when the first start was blocked already.
        await follower.UntilAsync(() => follower.Frames.Count(static frame => frame.Ready is not null) >= 2, () => "it did not start again");
    }

    private static async Task<List<Document>> CreateAsync(Someone someone, string collection, int count, AccessControl? acl)
    {
        List<Document> all = [];
        while (all.Count < count)
        {
            all.AddRange(await someone.BatchAsync(Enumerable.Range(0, 100).Select(
                _ => new Write { Create = new Document { Collection = collection, Data = Someone.Body("""{"n":1}"""), Acl = acl } })));
        }

        return all;
    }

    // A client that has read nothing yet of what its target 1 begins with, the first of which was read for it.
    private Task<Follower> StartBlockedAsync(Node node, Someone someone, string collection) =>
        StartBlockedAsync(node, someone, new Target { Id = 1, Collection = collection, Initial = true }, earlier: null);

    private async Task<Follower> StartBlockedAsync(Node node, Someone someone, Target target, Follower? earlier)
    {
        var follower = node.Follow(someone.Caller, earlier, new Target { Collection = host.Documents.Collection() });
        await follower.ReadyAsync();
        follower.Blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        follower.Subscriber.Update([TargetPlan.Read(target, "", someone.Caller)], []);
        await follower.BlockedAsync();
        return follower;
    }

    private static void Unblock(Follower follower)
    {
        var blocked = follower.Blocked!;
        follower.Blocked = null;
        blocked.SetResult();
    }

    // A transaction after all that were committed so far.
    private Task<ulong> NumberAsync() => host.Documents.Database.Owner.QueryFirstAsync(
        $"select pg_current_xact_id()", static row => row.GetXid8(0), CancellationToken.None);

    // A cursor that covers all that the follower has seen.
    private static async Task<string> CursorAfterAsync(Follower follower, Someone writer, string collection)
    {
        var marker = await writer.CreateAsync(collection, """{"n":9}""", Someone.Acl(["*"]));
        await writer.DeleteAsync(marker.Id);
        await follower.UntilAsync(
            () => follower.Frames.SkipWhile(frame => !frame.ToString().Contains(marker.Id, StringComparison.Ordinal)).Any(static frame => frame.Checkpoint is not null),
            () => "no cursor after the marker");
        return follower.Cursor;
    }
}

/// <summary>The same when the tables are polled.</summary>
public sealed class PollingResumeTests(PollingHost host) : ResumeTests(host), IClassFixture<PollingHost>;
