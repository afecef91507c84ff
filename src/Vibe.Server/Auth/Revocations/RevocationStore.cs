using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Revocations;

/// <summary>How far a node has read.</summary>
/// <param name="Server">The run of the database server that the snapshot belongs to: after another start, or on another server, its numbers may mean other transactions.</param>
/// <param name="Snapshot">What was visible.</param>
internal sealed record RevocationPlace(string Server, string Snapshot);

/// <summary>The table of revocations.</summary>
internal sealed class RevocationStore(Database database, AuthOptions options)
{
    /// <summary>Writes one down.</summary>
    /// <returns>It, with its times.</returns>
    /// <exception cref="DatabaseException">It is not written, or when the connection was lost perhaps is.</exception>
    public async Task<Revocation> InsertAsync(Revocation revocation, CancellationToken cancellationToken)
    {
        var batch = database.Owner.CreateBatch(Access.Write);
        var written = batch.QueryFirst(revocation.ToStatement(options), static row => Revocation.Read(row));
        await batch.RunAsync(cancellationToken);
        return written.Value!;
    }

    /// <summary>
    /// What is alive and was not visible at a place: also what took its number long before, and committed late. Everything alive
    /// without a place, or when the place is of another run of the database.
    /// </summary>
    /// <returns>The revocations, and the place they end at.</returns>
    public async Task<(IReadOnlyList<Revocation> Revocations, RevocationPlace Place)> ReadAsync(
        RevocationPlace? since, CancellationToken cancellationToken)
    {
        // One statement has one snapshot: the rows and the place belong together.
        Sql missed = since is null
            ? (Sql)$"true"
            : $"""
               (pg_postmaster_start_time()::text <> {since.Server}
                or (r.txid >= pg_snapshot_xmin({since.Snapshot}::pg_snapshot) and not pg_visible_in_snapshot(r.txid, {since.Snapshot}::pg_snapshot)))
               """;
        var rows = await database.Owner.QueryAsync(
            $"""
            select pg_postmaster_start_time()::text, pg_current_snapshot()::text, {Revocation.Columns}
            from (select) here left join vibe.revocations r on r.expire_time > now() and {missed}
            """,
            static row => (Place: new RevocationPlace(row.GetString(0), row.GetString(1)), Revocation: row.IsNull(2) ? null : Revocation.Read(row, 2)),
            cancellationToken);
        return ([.. rows.Select(static row => row.Revocation).OfType<Revocation>()], rows[0].Place);
    }

    /// <summary>Deletes what has had its time by the database's clock, which set it.</summary>
    public static Sql DeleteExpired(int limit) =>
        $"delete from vibe.revocations where id in (select r.id from vibe.revocations r where r.expire_time < now() limit {limit})";
}
