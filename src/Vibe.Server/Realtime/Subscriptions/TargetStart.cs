using System.Text.Json;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Realtime.V1;
using Vibe.Server.Documents;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Hub;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>
/// Brings a target from the database to the feed without a gap: collect from the feed first, then look at the database, then
/// tell what was collected and the database did not show. The same for a new target and for one that fell behind.
/// </summary>
internal sealed class TargetStart(
    ChangeHub hub, FeedDatabase feed, FeedCursors cursors, CatchUpStore missed, QueryStore queries, CatchUpTurns turns, RealtimeOptions options,
    TimeProvider time)
{
    private const int PageSize = 200;

    // A client that does not read holds a page of documents in memory.
    private static readonly RowBudget<(DocumentRow Row, Place Place)> PageBudget = new(static row => row.Row.Bytes, 1024 * 1024);
    private const int PageBytes = 1024 * 1024;

    /// <summary>Starts the target, or starts it again from what it was told last.</summary>
    /// <exception cref="Grpc.Core.RpcException">CURSOR_INVALID, CURSOR_EXPIRED.</exception>
    /// <exception cref="Vibe.Postgres.Sessions.DatabaseException">The database failed; try again.</exception>
    public async Task RunAsync(LiveTarget target, FrameWriter frames, CancellationToken cancellationToken)
    {
        while (true)
        {
            await WaitForFeedAsync(target, cancellationToken);
            await WaitForWriteAsync(target, cancellationToken);
            var epoch = hub.Epoch;
            var since = await SinceAsync(target, cancellationToken);
            var (position, isCollected) = hub.Attach(target, since);
            if (position is null)
            {
                continue;
            }

            // Only a position outlives a crash of the database: what another snapshot sees may be a number that is given again.
            if (since is null && target.Plan.Limit == 0)
            {
                (target.Told, target.Epoch) = (position, epoch);
                target.NeedsInitial = target.Plan.Initial && !target.Plan.IsEmpty;
            }

            if (since is not null)
            {
                RealtimeMeters.CatchUps.Add(1, isCollected ? RealtimeMeters.FromMemory : RealtimeMeters.FromDatabase);
            }

            var told = since is not null && isCollected ? since : await feed.ReadSnapshotAsync(cancellationToken);
            if (target.Plan.Limit > 0)
            {
                await SendWindowAsync(target, frames, cancellationToken);
            }
            else if (since is not null && !isCollected)
            {
                await SendMissedAsync(target.Plan, since, told, frames, cancellationToken);
            }

            // Of those sent before a start was interrupted, some may be gone: that was missed, and is told as such.
            if (target.NeedsInitial)
            {
                await SendInitialAsync(target.Plan, frames, cancellationToken);
                target.NeedsInitial = false;
            }

            if (await GoLiveAsync(target, told, frames, cancellationToken))
            {
                return;
            }

            // The feed broke meanwhile, or more changed than is kept: what was sent stands, the rest is read again.
            (target.Told, target.Epoch) = (target.Plan.Limit > 0 ? null : isCollected ? since : position, epoch);
        }
    }

    // Who is live already waits for the feed, however long it takes; who comes new is told soon that it is not there.
    private async Task WaitForFeedAsync(LiveTarget target, CancellationToken cancellationToken)
    {
        var live = hub.WhenLiveAsync(cancellationToken);
        try
        {
            await (target.Told is null ? live.WaitAsync(options.FeedPatience, time, cancellationToken) : live);
        }
        catch (TimeoutException)
        {
            throw RealtimeErrors.FeedUnavailable();
        }
    }

    // Once: whoever began has seen it.
    private async Task WaitForWriteAsync(LiveTarget target, CancellationToken cancellationToken)
    {
        if (target.Plan.AtLeast is not { } point || target.Told is not null)
        {
            return;
        }

        if (!point.IsOf(hub.Epoch!))
        {
            throw Consistency.Expired();
        }

        try
        {
            await hub.WhenSeenAsync(point.Transaction, cancellationToken).WaitAsync(options.FeedPatience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw Consistency.Behind();
        }
    }

    private async Task<Snapshot?> SinceAsync(LiveTarget target, CancellationToken cancellationToken)
    {
        if (target.Plan.Limit > 0)
        {
            return null;
        }

        var plan = target.Plan;
        var epoch = hub.Epoch!;
        if (target.Told is { } told)
        {
            return target.Epoch == epoch ? told : throw RealtimeErrors.CursorExpired(await EarliestAsync(plan.Caller, epoch, cancellationToken));
        }

        if (plan.Cursor.Length == 0)
        {
            return null;
        }

        var (state, snapshot) = cursors.Open(epoch, plan.Caller, plan.Cursor);
        if (state == CursorState.Invalid)
        {
            throw RealtimeErrors.CursorInvalid(await EarliestAsync(plan.Caller, epoch, cancellationToken));
        }

        return state == CursorState.Good && snapshot!.Min >= await feed.ReadFloorAsync(cancellationToken)
            ? snapshot
            : throw RealtimeErrors.CursorExpired(await EarliestAsync(plan.Caller, epoch, cancellationToken));
    }

    private async Task<string> EarliestAsync(Caller caller, FeedEpoch epoch, CancellationToken cancellationToken)
    {
        var floor = await feed.ReadFloorAsync(cancellationToken);
        return cursors.Issue(epoch, caller, Snapshot.Before(floor));
    }

    private async Task<bool> GoLiveAsync(LiveTarget target, Snapshot told, FrameWriter frames, CancellationToken cancellationToken)
    {
        List<TargetNews>? collected = null;
        Snapshot? position = null;
        hub.BetweenTransactions(confirmed =>
        {
            if (confirmed is null || target.HasGap)
            {
                return;
            }

            collected = target.GoLive(told);
            position = confirmed;
        });
        if (collected is null)
        {
            return false;
        }

        await frames.WriteAsync(collected, cancellationToken);
        var epoch = hub.Epoch!;
        var cursor = cursors.Issue(epoch, target.Plan.Caller, position!);
        await frames.WriteAsync(new SubscribeResponse { Ready = new Ready { TargetId = target.Plan.Id, Cursor = cursor } }, cancellationToken);
        target.Told = position;
        target.Epoch = epoch;
        return true;
    }

    // Keyset pages in an order that never changes: a document that is there throughout comes exactly once, and what changes
    // meanwhile comes from the feed.
    private async Task SendInitialAsync(TargetPlan plan, FrameWriter frames, CancellationToken cancellationToken)
    {
        Place? after = null;
        do
        {
            var rows = await ListAsync(plan, PageSize, after, PageBudget, cancellationToken);
            await SendAsync(plan, rows.Select(static row => (row.Row, ChangeKind.Added)), [], frames, cancellationToken);
            after = rows.Count == PageSize || PageBudget.IsSpentBy(rows) ? rows[^1].Place : null;
        }
        while (after is not null);
    }

    private async Task SendWindowAsync(LiveTarget target, FrameWriter frames, CancellationToken cancellationToken)
    {
        var plan = target.Plan;
        var rows = plan.IsEmpty ? [] : await ListAsync(plan, plan.Limit + 1, null, budget: null, cancellationToken);
        target.Window ??= new TargetWindow(plan);
        var (shown, removed) = target.Window.Replace(rows);
        await SendAsync(plan, shown, removed, frames, cancellationToken);
    }

    private Task<IReadOnlyList<(DocumentRow Row, Place Place)>> ListAsync(
        TargetPlan plan, int count, Place? after, RowBudget<(DocumentRow Row, Place Place)>? budget, CancellationToken cancellationToken) =>
        turns.RunAsync(token => queries.ListAsync(plan.Caller, plan.Query, count, after, budget, token), cancellationToken);

    private async Task SendMissedAsync(TargetPlan plan, Snapshot since, Snapshot before, FrameWriter frames, CancellationToken cancellationToken)
    {
        List<(DocumentRow Row, ChangeKind Kind)> shown = [];
        List<RemovedEntry> removed = [];
        var (count, bytes) = (0, 0L);
        await foreach (var change in missed.ReadAsync(plan.Caller, plan.Query.Collection, since, before, cancellationToken))
        {
            if (++count > options.MaxCatchUp)
            {
                throw RealtimeErrors.CursorExpired(await EarliestAsync(plan.Caller, hub.Epoch!, cancellationToken));
            }

            if (change.Row is { } row && Holds(plan, row, change.Audience))
            {
                shown.Add((row, row.Revision == 1 ? ChangeKind.Added : ChangeKind.Modified));
                bytes += row.Bytes;
            }
            else
            {
                removed.Add(new RemovedEntry(change.Id, change.Row?.Revision ?? 0));
            }

            if (shown.Count + removed.Count >= PageSize || bytes >= PageBudget.Most)
            {
                await SendAsync(plan, shown, removed, frames, cancellationToken);
                shown = [];
                removed = [];
                bytes = 0;
            }
        }

        await SendAsync(plan, shown, removed, frames, cancellationToken);

        // Tombstones may have been thrown away while this was reading.
        if (since.Min < await feed.ReadFloorAsync(cancellationToken))
        {
            throw RealtimeErrors.CursorExpired(await EarliestAsync(plan.Caller, hub.Epoch!, cancellationToken));
        }
    }

    private static bool Holds(TargetPlan plan, DocumentRow row, int audience)
    {
        if (row.DeleteTime is not null || !plan.IsInScope(row.Owner, audience))
        {
            return false;
        }

        using var body = JsonDocument.Parse(row.Data, DocumentView.BodyOptions);
        return plan.Query.Filter.Matches(row.ToView(body.RootElement));
    }

    private static async Task SendAsync(
        TargetPlan plan, IEnumerable<(DocumentRow Row, ChangeKind Kind)> shown, IReadOnlyList<RemovedEntry> removed, FrameWriter frames,
        CancellationToken cancellationToken)
    {
        var change = new TargetChange { TargetId = plan.Id };
        var bytes = 0;
        foreach (var (row, kind) in shown)
        {
            if (bytes > PageBytes)
            {
                await frames.WriteAsync(change, cancellationToken);
                change = new TargetChange { TargetId = plan.Id };
                bytes = 0;
            }

            bytes += row.Data.Length;
            (kind == ChangeKind.Added ? change.Added : change.Modified).Add(row.ToProto(plan.Caller, plan.Mask));
        }

        change.Removed.Add(removed.Select(static entry => new RemovedDocument { Id = entry.Id.ToString(), Revision = entry.Revision }));
        if (change.Added.Count + change.Modified.Count + change.Removed.Count > 0)
        {
            await frames.WriteAsync(change, cancellationToken);
        }
    }
}
