using System.Data;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Realtime.Feed;

/// <summary>What the feed asks and tells the database besides reading the log.</summary>
internal sealed class FeedDatabase(Database database)
{
    /// <summary>The prefix of heartbeats in the log.</summary>
    public const string HeartbeatPrefix = "vibe.heartbeat";

    private readonly SharedRead<Snapshot> _snapshot = new(async () => await database.Owner.QueryFirstAsync(
        $"select pg_current_snapshot()::text", static row => Snapshot.Parse(row.GetString(0)), CancellationToken.None)
        ?? throw new InvalidOperationException("PostgreSQL has no snapshot."));

    private readonly SharedRead<ulong> _floor = new(() => database.Owner.QueryFirstAsync(
        $"select floor from vibe.feed", static row => row.GetXid8(0), CancellationToken.None));

    /// <summary>The epoch of the feed.</summary>
    public async Task<FeedEpoch> ReadEpochAsync(CancellationToken cancellationToken) => await database.Owner.QueryFirstAsync(
        $"select {FeedEpoch.Expression}", static row => new FeedEpoch(row.GetString(0)), cancellationToken) ?? throw new InvalidOperationException("PostgreSQL has no epoch.");

    /// <summary>What is visible now; one query for all streams that ask at once.</summary>
    public Task<Snapshot> ReadSnapshotAsync(CancellationToken cancellationToken) => _snapshot.ReadAsync(cancellationToken);

    /// <summary>The first transaction whose traces are all there; one query for all streams that ask at once.</summary>
    public Task<ulong> ReadFloorAsync(CancellationToken cancellationToken) => _floor.ReadAsync(cancellationToken);

    /// <summary>
    /// Writes what is visible now into the log. The snapshot is taken before the transaction gets its number, and the
    /// commit is synchronous: once it comes back on the feed, a crash cannot hand out a number again that it sees.
    /// </summary>
    public async Task BeatAsync(CancellationToken cancellationToken)
    {
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.RepeatableRead, cancellationToken);
        await transaction.QueryFirstAsync(
            $"select pg_logical_emit_message(true, {HeartbeatPrefix}, pg_current_snapshot()::text) is null", static row => row.GetBoolean(0), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>
    /// Gives documents that were restored from another cluster a transaction of this one: their own numbers may lie ahead, and
    /// would come again with every catch-up.
    /// </summary>
    /// <returns>How many there were.</returns>
    public async Task<long> RenumberAsync(CancellationToken cancellationToken)
    {
        var ahead = await database.Owner.QueryFirstAsync(
            $"select exists (select from vibe.documents where txid >= pg_snapshot_xmax(pg_current_snapshot()))",
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
        await transaction.ExecuteAsync(
            $"update vibe.doc_acl set txid = pg_current_xact_id() where txid >= pg_snapshot_xmax(pg_current_snapshot())", cancellationToken);
        await transaction.ExecuteAsync($"update vibe.feed set floor = pg_current_xact_id()", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return documents;
    }
}
