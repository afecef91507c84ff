using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Realtime;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>What a stream tells, and to whom.</summary>
[Collection(PostgresCollection.Name)]
public class SubscribeTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    [Fact]
    public async Task Initial_documents_come_before_ready_and_changes_after()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        var first = await alice.CreateAsync(collection, """{"n":1}""");
        await using var follower = host.Node.Follow(alice.Caller, new Target { Collection = collection, Initial = true });
        await follower.ReadyAsync();
        Assert.Equal([$"{first.Id} r1"], follower.Documents());

        var second = await alice.CreateAsync(collection, """{"n":2}""");
        var changed = await alice.UpdateAsync(first.Id, """{"n":3}""");
        await follower.HoldsAsync([changed, second]);
        await alice.DeleteAsync(second.Id);
        await follower.HoldsAsync([changed]);

        var kinds = follower.Frames.SelectMany(static frame => frame.Batch?.Changes ?? [])
            .Select(static change => (change.Added.Count, change.Modified.Count, change.Removed.Count));
        Assert.Equal([(1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], kinds);
    }

    [Fact]
    public async Task Without_initial_only_later_changes_come()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await alice.CreateAsync(collection);
        await using var follower = host.Node.Follow(alice.Caller, new Target { Collection = collection });
        await follower.ReadyAsync();
        var later = await alice.CreateAsync(collection);
        await follower.HoldsAsync([later]);
    }

    [Fact]
    public async Task A_document_that_leaves_or_enters_the_filter_is_removed_or_added()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var follower = host.Node.Follow(alice.Caller, new Target { Collection = collection, Filter = """data.state = "open" and data.n > 1""" });
        await follower.ReadyAsync();
        var document = await alice.CreateAsync(collection, """{"state":"open","n":2}""");
        await follower.HoldsAsync([document]);
        await alice.UpdateAsync(document.Id, """{"state":"held"}""");
        await follower.HoldsAsync([]);
        await alice.UpdateAsync(document.Id, """{"n":5}""");
        var back = await alice.UpdateAsync(document.Id, """{"state":"open"}""");
        await follower.HoldsAsync([back]);
    }

    [Fact]
    public async Task Each_principal_follows_exactly_what_it_may_read()
    {
        const string Certificate = "cert:did:web:gov.test#Resident";
        var collection = host.Documents.Collection();
        var alice = host.Documents.User();
        Someone[] others =
        [
            host.Documents.User(), host.Documents.User("documents:*:write", Certificate), host.Documents.User("documents:elsewhere:read"),
            host.Documents.AppItself(), host.Documents.Visitor(),
        ];
        var followers = others.Select(someone => host.Node.Follow(someone.Caller, new Target { Collection = collection, Scope = DocumentScope.All })).ToList();
        await Task.WhenAll(followers.Select(static follower => follower.ReadyAsync()));

        string[][] rules = [["*"], ["users"], [others[0].Did], [Certificate], [others[3].Did], []];
        var document = await alice.CreateAsync(collection);
        foreach (var rule in rules.Concat(rules.Reverse()))
        {
            document = await alice.UpdateAsync(document.Id, acl: Someone.Acl(rule), mask: ["acl"]);
            var marker = await alice.CreateAsync(collection, acl: Someone.Acl(["*"]));
            for (var i = 0; i < others.Length; i++)
            {
                var expected = (await others[i].ListAsync(collection)).Documents;
                await followers[i].HoldsAsync(expected);
                Assert.Contains(expected, one => one.Id == marker.Id);
            }
        }

        // Denied is out of sight, whatever else would let them in.
        await alice.UpdateAsync(document.Id, acl: Someone.Acl(["users"], deny: [others[0].Did]), mask: ["acl"]);
        for (var i = 0; i < others.Length; i++)
        {
            await followers[i].HoldsAsync((await others[i].ListAsync(collection)).Documents);
        }

        foreach (var follower in followers)
        {
            await follower.DisposeAsync();
        }
    }

    [Fact]
    public async Task Nobody_hears_of_a_document_they_could_never_see()
    {
        var (alice, bob, collection) = (host.Documents.User(), host.Documents.User(), host.Documents.Collection());
        await using var follower = host.Node.Follow(bob.Caller, new Target { Collection = collection, Scope = DocumentScope.All });
        await follower.ReadyAsync();
        var secret = await alice.CreateAsync(collection);
        await alice.UpdateAsync(secret.Id, """{"a":1}""");
        await alice.UpdateAsync(secret.Id, acl: Someone.Acl(deny: [bob.Did]), mask: ["acl"]);
        await alice.DeleteAsync(secret.Id);
        var marker = await alice.CreateAsync(collection, acl: Someone.Acl(["*"]));
        await follower.HoldsAsync([marker]);
        Assert.DoesNotContain(follower.Frames, frame => frame.ToString().Contains(secret.Id, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Access_rules_are_the_owners_to_know()
    {
        var (alice, bob, collection) = (host.Documents.User(), host.Documents.User(), host.Documents.Collection());
        await using var mine = host.Node.Follow(alice.Caller, new Target { Collection = collection });
        await using var theirs = host.Node.Follow(bob.Caller, new Target { Collection = collection, Scope = DocumentScope.All });
        await mine.ReadyAsync();
        await theirs.ReadyAsync();
        await alice.CreateAsync(collection, acl: Someone.Acl([bob.Did]));
        var own = await mine.FrameAsync(static frame => frame.Batch is not null);
        var foreign = await theirs.FrameAsync(static frame => frame.Batch is not null);
        Assert.NotNull(own.Batch.Changes[0].Added[0].Acl);
        Assert.Null(foreign.Batch.Changes[0].Added[0].Acl);
    }

    [Fact]
    public async Task A_transaction_is_one_frame_for_all_targets()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var follower = host.Node.Follow(
            alice.Caller,
            new Target { Id = 1, Collection = collection, Filter = "data.n < 3" },
            new Target { Id = 2, Collection = collection, Filter = "data.n > 1" });
        await follower.ReadyAsync(1);
        await follower.ReadyAsync(2);
        await alice.BatchAsync(Enumerable.Range(1, 3).Select(n => new Write { Create = new Document { Collection = collection, Data = Someone.Body($$"""{"n":{{n}}}""") } }));
        var frame = await follower.FrameAsync(static frame => frame.Batch is not null);
        Assert.Equal([(1u, 2), (2u, 2)], frame.Batch.Changes.Select(static change => (change.TargetId, change.Added.Count)).Order());
    }

    [Fact]
    public async Task A_large_body_that_an_update_leaves_alone_comes_whole()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        var text = string.Concat(Enumerable.Range(0, 20_000).Select(static n => (char)('a' + (n * 7919 % 26))));
        var document = await alice.CreateAsync(collection, $$"""{"text":"{{text}}"}""");
        await using var follower = host.Node.Follow(alice.Caller, new Target { Collection = collection });
        await follower.ReadyAsync();
        await alice.UpdateAsync(document.Id, acl: Someone.Acl(["*"]), mask: ["acl"]);
        var frame = await follower.FrameAsync(static frame => frame.Batch is not null);
        Assert.Contains(text, Someone.Json(frame.Batch.Changes[0].Modified[0]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_mask_cuts_documents_down()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var follower = host.Node.Follow(alice.Caller, new Target { Collection = collection, ReadMask = { "data.a" } });
        await follower.ReadyAsync();
        await alice.CreateAsync(collection, """{"a":1,"b":2}""");
        var frame = await follower.FrameAsync(static frame => frame.Batch is not null);
        Assert.Equal("""{"a":1}""", Someone.Json(frame.Batch.Changes[0].Added[0]));
    }

    [Fact]
    public async Task Targets_come_and_go_while_the_stream_runs()
    {
        var (alice, one, two) = (host.Documents.User(), host.Documents.Collection(), host.Documents.Collection());
        await using var follower = host.Node.Follow(alice.Caller, new Target { Id = 1, Collection = one });
        await follower.ReadyAsync(1);
        var second = Vibe.Server.Realtime.Subscriptions.TargetPlan.Read(new Target { Id = 2, Collection = two, Initial = true }, "", alice.Caller);
        var early = await alice.CreateAsync(two);
        follower.Subscriber.Update([second], [1]);
        await follower.ReadyAsync(2);
        await alice.CreateAsync(one);
        var late = await alice.CreateAsync(two);
        await follower.HoldsAsync([early, late], 2);
        Assert.Empty(follower.Documents(1));
    }

    [Fact]
    public async Task A_stopping_server_says_goodbye()
    {
        await using var follower = host.Node.Follow(host.Documents.User().Caller, new Target { Collection = "notes" });
        await follower.ReadyAsync();
        await follower.DrainAsync();
        Assert.NotNull(follower.Frames[^1].Reconnect);
    }

    [Fact]
    public async Task A_stream_ends_with_its_token()
    {
        var caller = host.Documents.User().Caller with { ExpireTime = TimeProvider.System.GetUtcNow().AddSeconds(3) };
        await using var follower = host.Node.Follow(caller, new Target { Collection = "notes" });
        Assert.Equal("TOKEN_EXPIRED", (await follower.FrameAsync(static frame => frame.AccessLost is not null)).AccessLost.Reason);
    }

    [Fact]
    public async Task A_busy_stream_is_told_its_cursor_once_in_a_while()
    {
        await using var node = await host.StartNodeAsync(new RealtimeOptions { CheckpointPause = TimeSpan.FromHours(1) });
        var (user, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var follower = node.Follow(user.Caller, new Target { Collection = collection });
        await follower.ReadyAsync();
        var first = await user.CreateAsync(collection, """{"n":1}""");
        await follower.FrameAsync(static frame => frame.Checkpoint is not null);

        // Somebody who comes later on the same node shows when there is a new cursor to tell.
        await using var later = node.Follow(user.Caller, new Target { Collection = collection });
        await later.ReadyAsync();
        var second = await user.CreateAsync(collection, """{"n":2}""");
        await later.FrameAsync(static frame => frame.Checkpoint is not null);
        var third = await user.CreateAsync(collection, """{"n":3}""");
        await follower.HoldsAsync([first, second, third]);
        Assert.Single(follower.Frames, static frame => frame.Checkpoint is not null);
    }

    [Fact]
    public async Task A_cursor_that_follows_a_change_covers_it()
    {
        var (user, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var follower = host.Node.Follow(user.Caller, new Target { Collection = collection });
        await follower.ReadyAsync();
        await user.CreateAsync(collection, """{"n":1}""");
        var cursor = (await follower.FrameAsync(static frame => frame.Checkpoint is not null)).Checkpoint.Cursor;

        await using var resumed = host.Node.Follow(user.Caller, new Target { Collection = collection, Cursor = cursor });
        await resumed.ReadyAsync();
        Assert.Empty(resumed.Documents());
    }

    [Fact]
    public async Task A_quiet_stream_repeats_its_cursor()
    {
        await using var node = await host.StartNodeAsync(new RealtimeOptions { CheckpointInterval = TimeSpan.FromMilliseconds(200) });
        await using var follower = node.Follow(host.Documents.User().Caller, new Target { Collection = "notes" });
        await follower.ReadyAsync();
        await follower.CheckpointAsync();
        await follower.CheckpointAsync();
    }
}

/// <summary>The same when the tables are polled.</summary>
public sealed class PollingSubscribeTests(PollingHost host) : SubscribeTests(host), IClassFixture<PollingHost>;
