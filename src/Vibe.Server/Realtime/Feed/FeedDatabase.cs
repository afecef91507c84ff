using System.Data;
using System.Diagnostics;
using System.Text.Json;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents;

namespace Vibe.Server.Realtime.Feed;

/// <summary>What the feed asks and tells the database besides reading the log.</summary>
internal sealed class FeedDatabase(Database database)
{
    /// <summary>The prefix of heartbeats in the log.</summary>
    public const string HeartbeatPrefix = "vibe.heartbeat";

    /// <summary>How far the feed is behind.</summary>
    public FeedPace Pace { get; } = new();

    private readonly SharedRead<Snapshot> _snapshot = new(async () => await database.Owner.QueryFirstAsync(
        $"select pg_current_snapshot()::text", static row => Snapshot.Parse(row.GetString(0)), CancellationToken.None)
        ?? throw new InvalidOperationException("PostgreSQL has no snapshot."));

    private readonly SharedRead<ulong> _floor = new(() => database.Owner.QueryFirstAsync(
        $"select floor from vibe.feed", static row => row.GetXid8(0), CancellationToken.None));

    /// <summary>The epoch of the feed.</summary>
    public async Task<FeedEpoch> ReadEpochAsync(CancellationToken cancellationToken) => await database.Owner.QueryFirstAsync(
        $"select {FeedEpoch.Expression}", static row => new FeedEpoch(row.GetString(0)), cancellationToken) ?? throw new InvalidOperationException("PostgreSQL has no epoch.");

    /// <summary>A transaction number: whatever has one already has a smaller one.</summary>
    public Task<ulong> TakeNumberAsync(CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"select pg_current_xact_id()", static row => row.GetXid8(0), cancellationToken);

    /// <summary>What is visible now; one query for all streams that ask at once.</summary>
    public Task<Snapshot> ReadSnapshotAsync(CancellationToken cancellationToken) => _snapshot.ReadAsync(cancellationToken);

    /// <summary>The first transaction whose traces are all there; one query for all streams that ask at once.</summary>
    public Task<ulong> ReadFloorAsync(CancellationToken cancellationToken) => _floor.ReadAsync(cancellationToken);

    /// <summary>
    /// Writes what is visible now into the log. The snapshot is taken before the transaction gets its number, and the
    /// commit is synchronous: once it comes back on the feed, a crash cannot hand out a number again that it sees.
    /// </summary>
    /// <returns>What it saw.</returns>
    public async Task<Snapshot> BeatAsync(CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.RepeatableRead, cancellationToken);
        var snapshot = await transaction.QueryFirstAsync(
            $"""
            select s.now from (select pg_current_snapshot()::text as now) s
            where pg_logical_emit_message(true, {HeartbeatPrefix}, s.now) is not null
            """,
            static row => Snapshot.Parse(row.GetString(0)), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Pace.Wrote(snapshot ?? throw new InvalidOperationException("PostgreSQL has no snapshot."), began);
        return snapshot;
    }

    /// <summary>A connection for polling, which <c>pg_stat_activity</c> shows under the name of the other kind of feed.</summary>
    public Task<HeldSession> OpenSessionAsync(CancellationToken cancellationToken) =>
        database.OpenSessionAsync(ReplicationFeed.ApplicationName, cancellationToken);

    /// <summary>What is visible now and was not to a snapshot. One statement, so that it is one look.</summary>
    public static async Task<(Snapshot Now, IReadOnlyList<CommittedChanges> Transactions)> PollAsync(
        HeldSession session, Snapshot seen, CancellationToken cancellationToken)
    {
        var rows = await session.QueryAsync(
            $"""
            select {DocumentRow.Columns}, d.audience, d.readers, d.denied, d.txid, r.past, s.now
            from (select pg_current_snapshot()::text as now offset 0) s
            left join vibe.documents d on d.txid >= {seen.Min} and not pg_visible_in_snapshot(d.txid, {seen.Text}::pg_snapshot)
            left join (
              select doc_id, jsonb_agg(jsonb_build_array(audience, readers, denied)) as past from vibe.doc_past_rules
              where txid >= {seen.Min} and not pg_visible_in_snapshot(txid, {seen.Text}::pg_snapshot)
              group by doc_id) r on r.doc_id = d.id
            order by d.txid, d.id
            """,
            static row => (
                Now: row.GetString(DocumentRow.ColumnCount + 5),
                Change: row.IsNull(0) ? null : new FeedChange(
                    null,
                    FeedDocument.Of(
                        DocumentRow.Read(row),
                        new ReadRules(
                            row.GetInt32(DocumentRow.ColumnCount), row.GetTextArray(DocumentRow.ColumnCount + 1), row.GetTextArray(DocumentRow.ColumnCount + 2)),
                        row.GetXid8(DocumentRow.ColumnCount + 3)),
                    ReadPast(row.GetJsonOrNull(DocumentRow.ColumnCount + 4)))),
            cancellationToken);
        return (
            Snapshot.Parse(rows[0].Now),
            [.. rows.Select(static row => row.Change).OfType<FeedChange>().GroupBy(static change => change.New.Transaction)
                .Select(static group => new CommittedChanges(group.Key, [.. group]))]);
    }

    /// <summary>
    /// Gives documents that were restored from another cluster a transaction of this one: their own numbers may lie ahead, and
    /// would come again with every catch-up.
    /// </summary>
    /// <returns>How many there were.</returns>
    public async Task<long> RenumberAsync(CancellationToken cancellationToken)
    {
        var ahead = await database.Owner.QueryFirstAsync(
            $"""
            select exists (select from vibe.documents where txid >= pg_snapshot_xmax(pg_current_snapshot()))
              or exists (select from vibe.doc_past_rules where txid >= pg_snapshot_xmax(pg_current_snapshot()))
              or exists (select from vibe.feed where floor > pg_snapshot_xmax(pg_current_snapshot()))
            """,
            static row => row.GetBoolean(0), cancellationToken);
        if (!ahead)
        {
            return 0;
        }

        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        await transaction.ExecuteAsync($"alter table vibe.documents disable trigger user", cancellationToken);
        var documents = await transaction.ExecuteAsync(
            $"update vibe.documents set txid = pg_current_xact_id() where txid >= pg_snapshot_xmax(pg_current_snapshot())", cancellationToken);
        await transaction.ExecuteAsync($"alter table vibe.documents enable trigger user", cancellationToken);
        await transaction.ExecuteAsync($"delete from vibe.doc_past_rules where txid >= pg_snapshot_xmax(pg_current_snapshot())", cancellationToken);
        await transaction.ExecuteAsync($"update vibe.feed set floor = pg_current_xact_id()", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return documents;
    }

    // [[audience, [readers…], [denied…]], …]
    private static IReadOnlyList<ReadRules> ReadPast(ReadOnlyMemory<byte>? json)
    {
        if (json is not { } text)
        {
            return [];
        }

        using var past = JsonDocument.Parse(text);
        return [.. past.RootElement.EnumerateArray().Select(static rules => new ReadRules(rules[0].GetInt32(), Texts(rules[1]), Texts(rules[2])))];

        static string[] Texts(JsonElement array) => [.. array.EnumerateArray().Select(static text => text.GetString()!)];
    }
}
