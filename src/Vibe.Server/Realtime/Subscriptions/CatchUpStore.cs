using System.Runtime.CompilerServices;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime.Feed;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>A document that changed since a cursor, as it is now; or one that the caller may not see any more.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Row">The document, perhaps a tombstone; null when it is out of sight.</param>
/// <param name="Audience">0 named principals, 1 every signed-in user, 2 everyone.</param>
internal sealed record MissedChange(Guid Id, DocumentRow? Row, int Audience);

/// <summary>Reads from the tables what a target missed, under the caller's own rights.</summary>
internal sealed class CatchUpStore(Database database, FeedDatabase feed, CatchUpTurns turns)
{
    private const int PageSize = 500;

    /// <summary>
    /// What changed in a collection after a snapshot, in its present state, and what left the caller's sight. A document that changes
    /// meanwhile may come again.
    /// </summary>
    /// <param name="caller">Whose rights count.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="since">What the client knows.</param>
    /// <param name="before">A snapshot taken before this call, and after the feed began to be collected.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<MissedChange> ReadAsync(
        Caller caller, string collection, Snapshot since, Snapshot before, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Pages are statements of their own, so that no snapshot is held for a client that reads slowly. What they miss is what
        // changed while they were read: the feed tells those changes, but not what the document was to the client when it had changed
        // before. A last statement reads both these and what is lost, in one look. When that is much, it is read in pages too.
        for (var from = since; ;)
        {
            await foreach (var change in ReadPagesAsync(caller, collection, from, cancellationToken))
            {
                yield return change;
            }

            var last = await ReadLastAsync(caller, collection, since, before, cancellationToken);
            if (last.Count(static change => change.Row is not null) <= PageSize)
            {
                foreach (var change in last)
                {
                    yield return change;
                }

                yield break;
            }

            from = before;
            before = await feed.ReadSnapshotAsync(cancellationToken);
        }
    }

    private async IAsyncEnumerable<MissedChange> ReadPagesAsync(
        Caller caller, string collection, Snapshot since, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The next page is read while the client is sent this one.
        var next = ReadPageAsync(caller, collection, since, (since.Min, Guid.Empty), cancellationToken);
        try
        {
            while (true)
            {
                var page = await next;
                if (page.Count == PageSize)
                {
                    next = ReadPageAsync(caller, collection, since, (page[^1].Transaction, page[^1].Row.Id), cancellationToken);
                }

                foreach (var (row, audience, _) in page)
                {
                    yield return new MissedChange(row.Id, row, audience);
                }

                if (page.Count < PageSize)
                {
                    yield break;
                }
            }
        }
        finally
        {
            // Of a page that nobody wants any more, nobody wants to hear either.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Task<IReadOnlyList<(DocumentRow Row, int Audience, ulong Transaction)>> ReadPageAsync(
        Caller caller, string collection, Snapshot since, (ulong Transaction, Guid Id) last, CancellationToken cancellationToken) => turns.RunAsync(
        token => database.QueryAsync(
            caller.ToRequestContext(),
            $"""
            select {DocumentRow.Columns}, d.audience, d.txid
            from vibe.documents d
            where d.collection = {collection} and d.txid >= {last.Transaction} and (d.txid, d.id) > ({last.Transaction}, {last.Id})
              and not pg_visible_in_snapshot(d.txid, {since.Text}::pg_snapshot)
            order by d.txid, d.id limit {PageSize}
            """,
            static row => (
                Row: DocumentRow.Read(row), Audience: row.GetInt32(DocumentRow.ColumnCount), Transaction: row.GetXid8(DocumentRow.ColumnCount + 1)),
            token),
        cancellationToken);

    // A query under row-level security cannot show what it hides: what was visible by rules that hold no more, and is not now, is lost.
    private Task<IReadOnlyList<MissedChange>> ReadLastAsync(
        Caller caller, string collection, Snapshot since, Snapshot before, CancellationToken cancellationToken) => turns.RunAsync(
        token => database.QueryAsync(
            caller.ToRequestContext(),
            $"""
            select {DocumentRow.Columns}, d.audience, c.id
            from (
              (select n.id from vibe.documents n
               where n.collection = {collection} and n.txid >= {before.Min} and not pg_visible_in_snapshot(n.txid, {before.Text}::pg_snapshot)
               limit {PageSize + 1})
              union all
              (select distinct r.doc_id from vibe.doc_past_rules r
               where r.collection = {collection} and r.txid >= {since.Min} and not pg_visible_in_snapshot(r.txid, {since.Text}::pg_snapshot)
                 and not exists (select from vibe.documents n where n.id = r.doc_id))) c
            left join vibe.documents d on d.id = c.id
            """,
            static row => row.IsNull(0)
                ? new MissedChange(row.GetGuid(DocumentRow.ColumnCount + 1), null, 0)
                : new MissedChange(row.GetGuid(DocumentRow.ColumnCount + 1), DocumentRow.Read(row), row.GetInt32(DocumentRow.ColumnCount)),
            token),
        cancellationToken);
}
