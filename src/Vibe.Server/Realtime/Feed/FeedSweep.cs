using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Feed;

/// <summary>
/// Throws away tombstones and past access rules that are too old to be told. First cursors from before are declared expired, then
/// the rows go; who is catching up meanwhile looks again, when done, whether the cursor still holds.
/// </summary>
internal sealed class FeedSweep(Database database, FeedDatabase feed, RealtimeOptions options) : ISweep
{
    private const int Batch = 1000;

    /// <inheritdoc/>
    public string Name => "tombstones";

    /// <inheritdoc/>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var epoch = (await feed.ReadEpochAsync(cancellationToken)).Text;
        await database.Owner.ExecuteAsync(
            $"""
            insert into vibe.feed_marks (epoch, horizon) select {epoch}, pg_snapshot_xmin(pg_current_snapshot())
            where not exists (select from vibe.feed_marks m where m.epoch = {epoch} and m.time > now() - interval '1 hour')
            """,
            cancellationToken);
        var batch = database.Owner.CreateBatch(Access.Write);
        batch.Execute(
            $"""
            update vibe.feed set floor = old.horizon
            from (select max(m.horizon) as horizon from vibe.feed_marks m where m.epoch = {epoch} and m.time < now() - {options.TombstoneLifetime}) old
            where old.horizon > floor
            """);
        batch.Execute($"delete from vibe.feed_marks m where m.time < now() - {options.TombstoneLifetime}");
        await batch.RunAsync(cancellationToken);

        var floor = await feed.ReadFloorAsync(cancellationToken);
        await RepeatAsync(
            $"""
            delete from vibe.documents d using (
              select o.id from vibe.documents o where o.delete_time is not null and o.txid < {floor} order by o.txid limit {Batch}) old
            where d.id = old.id and d.delete_time is not null and d.txid < {floor}
            """,
            cancellationToken);
        await RepeatAsync(
            $"""
            delete from vibe.doc_past_rules r using (
              select o.txid, o.doc_id from vibe.doc_past_rules o where o.txid < {floor} order by o.txid limit {Batch}) old
            where r.txid = old.txid and r.doc_id = old.doc_id
            """,
            cancellationToken);
    }

    private async Task RepeatAsync(Sql statement, CancellationToken cancellationToken)
    {
        while (await database.Owner.ExecuteAsync(statement, cancellationToken) > 0)
        {
            // More of them.
        }
    }
}
