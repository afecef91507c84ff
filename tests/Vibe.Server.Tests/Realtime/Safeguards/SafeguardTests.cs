using System.Runtime.CompilerServices;
using Vibe.Documents.V1;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime.Safeguards;

/// <summary>
/// What each part of the protocol is for: with it the model check holds, and without it the same history fails the same check.
/// What is left out is left out by a client or a server of the test's own; the product has no switch for it.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class SafeguardTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    private const string Certificate = "cert:did:web:gov.test#Resident";

    private readonly Someone _alice = host.Documents.User();
    private readonly Someone _bob = host.Documents.User();
    private readonly Target _target = new() { Collection = host.Documents.Collection(), Scope = DocumentScope.All, Initial = true };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cursor_is_what_was_visible_and_not_the_highest_number(bool guarded)
    {
        var (follower, document) = await FollowOneAsync();
        await using var late = await SlowWrite.BeginAsync(host.Documents.Connection, document.Id);
        await ToldAndCoveredAsync(follower, await CreateForBobAsync());
        var cursor = guarded ? follower.Cursor : Issue(_bob, Snapshot.Before(await NumberAsync()));
        await follower.DisposeAsync();
        await late.CommitAsync();
        await using var resumed = await ResumeAsync(host.Node, _bob, follower, cursor);
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(resumed, _bob, _target, _alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cursor_is_no_further_than_what_was_sent(bool guarded)
    {
        var (follower, document) = await FollowOneAsync();
        follower.Blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _alice.UpdateAsync(document.Id, """{"n":3}""");
        await host.Node.Hub.WhenSeenAsync(await NumberAsync(), CancellationToken.None);
        await follower.BlockedAsync();
        var cursor = guarded ? follower.Cursor : Issue(_bob, host.Node.Hub.Confirmed!);
        await follower.DisposeAsync();
        await using var resumed = await ResumeAsync(host.Node, _bob, follower, cursor);
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(resumed, _bob, _target, _alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cursor_is_good_for_the_database_it_came_from(bool guarded)
    {
        var (follower, document) = await FollowOneAsync();
        await follower.DisposeAsync();
        await _alice.UpdateAsync(document.Id, """{"n":3}""");

        // Of a database that was ahead of this one when it was copied.
        var cursor = host.Node.Cursors.Issue(
            guarded ? new FeedEpoch("another") : host.Node.Hub.Epoch!, _bob.Caller, Snapshot.Before(await NumberAsync()));
        await using var resumed = await ResumeAsync(host.Node, _bob, follower, cursor);
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(resumed, _bob, _target, _alice));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public async Task A_cursor_is_good_for_the_rights_it_was_seen_with(bool guarded, bool gains)
    {
        var holder = new Someone(host.Documents.Service, _bob.Caller with { Principals = [.. _bob.Caller.Principals, Certificate] });
        var (before, after) = gains ? (_bob, holder) : (holder, _bob);
        var follower = host.Node.Follow(before.Caller, _target);
        await follower.ReadyAsync();
        await _alice.CreateAsync(_target.Collection, acl: Someone.Acl([Certificate]));
        await ToldAndCoveredAsync(follower, await CreateForBobAsync());
        await follower.DisposeAsync();
        var cursor = guarded ? follower.Cursor : Issue(after, PlaceOf(before, follower.Cursor));
        await using var resumed = await ResumeAsync(host.Node, after, follower, cursor);
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(resumed, after, _target, _alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cursor_from_before_traces_were_thrown_away_is_refused(bool guarded)
    {
        var (follower, document) = await FollowOneAsync();
        await follower.DisposeAsync();
        var since = PlaceOf(_bob, follower.Cursor);
        await _alice.DeleteAsync(document.Id);
        var owner = host.Documents.Database.Owner;
        var sweep = new FeedSweep(host.Documents.Database, host.Node.Feed, host.Node.Options);
        await sweep.SweepAsync(CancellationToken.None);
        await owner.ExecuteAsync(
            $"update vibe.feed_marks m set time = now() - interval '31 days', horizon = pg_snapshot_xmin(pg_current_snapshot())", CancellationToken.None);
        await sweep.SweepAsync(CancellationToken.None);
        if (guarded)
        {
            await using var resumed = await ResumeAsync(host.Node, _bob, follower, follower.Cursor);
            Assert.True(await ModelCheck.HoldsAsync(resumed, _bob, _target, _alice));
            return;
        }

        await using var naive = await CatchUpAsync(since, follower, _bob, withLost: true);
        Assert.False(await ModelCheck.HoldsAsync(naive.Client, _bob, _target, _alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_feed_is_collected_before_the_database_is_looked_at(bool guarded)
    {
        var document = await CreateForBobAsync();
        await using var stream = new StepwiseStream(host.Node, _bob, _target);
        if (guarded)
        {
            stream.Collect(since: null);
        }

        var seen = await stream.LookAsync(_bob, _target);
        await _alice.UpdateAsync(document.Id, """{"n":3}""");
        await host.Node.Hub.WhenSeenAsync(await NumberAsync(), CancellationToken.None);
        if (!guarded)
        {
            stream.Collect(since: null);
        }

        await stream.GoLiveAsync(seen);
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(stream.Client, _bob, _target, _alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Catching_up_reads_the_shares_that_were_taken_away(bool guarded)
    {
        var (follower, document) = await FollowOneAsync();
        await follower.DisposeAsync();
        var since = PlaceOf(_bob, follower.Cursor);
        await _alice.UpdateAsync(document.Id, acl: Someone.Acl(), mask: ["acl"]);
        await using var stream = await CatchUpAsync(since, follower, _bob, withLost: guarded);
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(stream.Client, _bob, _target, _alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Catching_up_goes_by_the_callers_own_rights(bool guarded)
    {
        var (follower, _) = await FollowOneAsync();
        await follower.DisposeAsync();
        await _alice.CreateAsync(_target.Collection);
        await using var stream = await CatchUpAsync(PlaceOf(_bob, follower.Cursor), follower, guarded ? _bob : _alice, withLost: true);
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(stream.Client, _bob, _target, _alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_change_gets_a_number_of_its_own_transaction(bool guarded)
    {
        var (follower, document) = await FollowOneAsync();
        await follower.DisposeAsync();
        await using var write = await SlowWrite.BeginAsync(host.Documents.Connection, document.Id, withTriggers: guarded);
        await write.CommitAsync();
        await using var node = await host.StartNodeAsync();
        await using var resumed = await ResumeAsync(node, _bob, follower, follower.Cursor);
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(resumed, _bob, _target, _alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_delivered_goes_by_the_callers_own_rights(bool guarded)
    {
        await using var stream = new StepwiseStream(host.Node, guarded ? _bob : _alice, _target);
        stream.Collect(since: null);
        await stream.GoLiveAsync(await stream.LookAsync(_bob, _target));
        await _alice.CreateAsync(_target.Collection);
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(stream.Client, _bob, _target, _alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_log_says_what_a_document_was_before(bool guarded)
    {
        await using var node = await host.StartNodeAsync(tampering: guarded ? null : WithoutOldAsync);
        var (follower, document) = await FollowOneAsync(node);
        await using (follower)
        {
            await _alice.UpdateAsync(document.Id, acl: Someone.Acl(), mask: ["acl"]);
            Assert.Equal(guarded, await ModelCheck.HoldsAsync(follower, _bob, _target, _alice));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_is_too_slow_catches_up(bool guarded)
    {
        await using var node = await host.StartNodeAsync(new RealtimeOptions { MaxQueuedBytes = 20_000 });
        await using var witness = node.Follow(_alice.Caller, _target);
        await witness.ReadyAsync();
        await using var stream = guarded ? null : new StepwiseStream(node, _bob, _target);
        var follower = stream?.Client ?? node.Follow(_bob.Caller, _target);
        if (stream is not null)
        {
            stream.Collect(since: null);
            await stream.GoLiveAsync(await stream.LookAsync(_bob, _target));
        }
        else
        {
            await follower.ReadyAsync();
        }

        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        follower.Blocked = blocked;
        List<Document> all = [];
        for (var n = 0; n < 30; n++)
        {
            all.Add(await _alice.CreateAsync(_target.Collection, $$"""{"text":"{{new string('x', 1000)}}"}""", Someone.Acl([_bob.Did])));
        }

        await witness.HoldsAsync(all);
        follower.Blocked = null;
        blocked.SetResult();
        await (stream?.CaughtBreathAsync() ?? Task.CompletedTask);
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(follower, _bob, _target, _alice));
        if (guarded)
        {
            await follower.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_ends_when_a_consent_is_narrowed(bool guarded)
    {
        await using var node = await host.StartNodeAsync();
        var (follower, _) = await FollowOneAsync(node);
        var narrowed = _bob.With("documents:elsewhere:read");
        if (guarded)
        {
            var now = TimeProvider.System.GetUtcNow();
            node.Access.Apply(Revocation.OfConsent(_bob.Did, DocumentsHost.App) with { RevokeTime = now, ExpireTime = now.AddMinutes(1) });
            await follower.EndedAsync();
            await follower.DisposeAsync();
            follower = await ResumeAsync(
                node, new Someone(host.Documents.Service, narrowed.Caller with { IssueTime = now.AddSeconds(2) }), follower, follower.Cursor);
        }

        await using (follower)
        {
            Assert.Equal(guarded, await ModelCheck.HoldsAsync(follower, narrowed, _target, _alice));
        }
    }

    // Bob follows, and has a document that Alice shared with him.
    private async Task<(Follower Follower, Document Document)> FollowOneAsync(Node? node = null)
    {
        var follower = (node ?? host.Node).Follow(_bob.Caller, _target);
        await follower.ReadyAsync();
        var document = await CreateForBobAsync();
        await ToldAndCoveredAsync(follower, document);
        return (follower, document);
    }

    private Task<Document> CreateForBobAsync() => _alice.CreateAsync(_target.Collection, """{"n":1}""", Someone.Acl([_bob.Did]));

    private static Task ToldAndCoveredAsync(Follower follower, Document document) => follower.UntilAsync(
        () => follower.Frames.SkipWhile(frame => !frame.ToString().Contains(document.Id, StringComparison.Ordinal)).Any(static frame => frame.Checkpoint is not null),
        () => "no cursor after the document");

    // As clients do: when the cursor has expired, it reads everything again.
    private async Task<Follower> ResumeAsync(Node node, Someone person, Follower earlier, string cursor)
    {
        var resumed = node.Follow(person.Caller, earlier, _target.With(cursor));
        var first = await resumed.FrameAsync(static frame => frame.Ready is not null || frame.TargetError is not null);
        if (first.TargetError is null)
        {
            return resumed;
        }

        Assert.Equal("CURSOR_EXPIRED", first.TargetError.Reason);
        await resumed.DisposeAsync();
        return node.Follow(person.Caller, _target);
    }

    private async Task<StepwiseStream> CatchUpAsync(Snapshot since, Follower earlier, Someone reader, bool withLost)
    {
        var stream = new StepwiseStream(host.Node, _bob, _target, earlier);
        stream.Collect(since: null);
        var seen = await host.Node.Feed.ReadSnapshotAsync(CancellationToken.None);
        await stream.CatchUpAsync(reader, since, withLost);
        await stream.GoLiveAsync(seen);
        return stream;
    }

    private string Issue(Someone someone, Snapshot snapshot) => host.Node.Cursors.Issue(host.Node.Hub.Epoch!, someone.Caller, snapshot);

    private Snapshot PlaceOf(Someone someone, string cursor) => host.Node.Cursors.Open(host.Node.Hub.Epoch!, someone.Caller, cursor).Snapshot!;

    // A transaction after all that got a number so far.
    private Task<ulong> NumberAsync() => host.Documents.Database.Owner.QueryFirstAsync(
        $"select pg_current_xact_id()", static row => row.GetXid8(0), CancellationToken.None);

    private static async IAsyncEnumerable<FeedItem> WithoutOldAsync(LogSource log, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (changes, position) in log.ReadAsync(cancellationToken))
        {
            yield return new FeedItem(
                changes is null ? null : changes with { Changes = [.. changes.Changes.Select(static change => change with { Old = null })] }, position);
        }
    }
}
