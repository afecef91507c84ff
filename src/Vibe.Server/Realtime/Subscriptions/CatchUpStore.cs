using System.Runtime.CompilerServices;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>A document that changed since a cursor, as it is now; or one that the caller may not see any more.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Row">The document, perhaps a tombstone; null when it is out of sight.</param>
/// <param name="Audience">0 named principals, 1 every signed-in user, 2 everyone.</param>
internal sealed record MissedChange(Guid Id, DocumentRow? Row, int Audience);

/// <summary>Reads from the tables what a target missed, under the caller's own rights.</summary>
internal sealed class CatchUpStore(Database database, CatchUpTurns turns)
{
    private const int PageSize = 500;

    /// <summary>
    /// What changed in a collection after a snapshot, each document once in its present state, then what left the caller's sight. Pages
    /// are statements of their own: a document that changes in between moves on to a later transaction, which the feed tells.
    /// </summary>
    public async IAsyncEnumerable<MissedChange> ReadAsync(
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
                    break;
                }
            }
        }
        finally
        {
            // Of a page that nobody wants any more, nobody wants to hear either.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        foreach (var id in await ReadLostAsync(caller, collection, since, cancellationToken))
        {
            yield return new MissedChange(id, null, 0);
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
    private Task<IReadOnlyList<Guid>> ReadLostAsync(Caller caller, string collection, Snapshot since, CancellationToken cancellationToken) => turns.RunAsync(
        token => database.QueryAsync(
            caller.ToRequestContext(),
            $"""
            select distinct r.doc_id from vibe.doc_past_rules r
            where r.collection = {collection} and r.txid >= {since.Min} and not pg_visible_in_snapshot(r.txid, {since.Text}::pg_snapshot)
              and not exists (select from vibe.documents d where d.id = r.doc_id)
            """,
            static row => row.GetGuid(0), token),
        cancellationToken);
}
