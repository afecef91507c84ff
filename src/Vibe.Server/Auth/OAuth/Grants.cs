using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Revocations;

namespace Vibe.Server.Auth.OAuth;

/// <summary>What people allow apps: one grant for each person and app, which grows with each consent and goes as a whole.</summary>
internal sealed class Grants(Database database, RevocationSet revocations, AuthOptions options, TimeProvider time)
{
    private static readonly Sql Columns = $"g.id, g.app_did, g.scopes, g.create_time, g.last_use_time, g.expire_time";

    /// <summary>The grant of a person to an app; null when there is none that still holds.</summary>
    public Task<Grant?> FindAsync(string did, string app, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"""
        select {Columns} from vibe.grants g
        where g.did = {did} and g.app_did = {app} and (g.expire_time is null or g.expire_time > {time.GetUtcNow()})
        """,
        Read,
        cancellationToken);

    /// <summary>The grants of a person that still hold, the latest used first.</summary>
    public Task<IReadOnlyList<Grant>> ListAsync(string did, CancellationToken cancellationToken) => database.Owner.QueryAsync(
        $"""
        select {Columns} from vibe.grants g
        where g.did = {did} and (g.expire_time is null or g.expire_time > {time.GetUtcNow()})
        order by g.last_use_time desc, g.id
        """,
        Read,
        cancellationToken);

    /// <summary>
    /// Adds scopes to what a person allows an app. Of two ends the earlier one holds for everything, so that a later consent
    /// never stretches an earlier one; a grant that has ended starts anew.
    /// </summary>
    public async Task<Grant> AllowAsync(
        string did, string app, IReadOnlyCollection<string> scopes, DateTimeOffset? expireTime, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        string[] added = [.. scopes.Distinct(StringComparer.Ordinal)];
        var batch = database.Owner.CreateBatch(Access.Write);

        // What hung on the ended grant (families, codes) goes with it.
        batch.Execute($"delete from vibe.grants where did = {did} and app_did = {app} and expire_time <= {now}");
        var grant = batch.QueryFirst(
            $"""
            insert into vibe.grants as g (id, did, app_did, scopes, create_time, update_time, last_use_time, expire_time)
            values ({Guid.CreateVersion7(now)}, {did}, {app}, {added}, {now}, {now}, {now}, {expireTime})
            on conflict (did, app_did) do update set
              scopes = (select array_agg(distinct scope) from unnest(g.scopes || excluded.scopes) as scope),
              update_time = excluded.update_time,
              expire_time = least(g.expire_time, excluded.expire_time)
            returning {Columns}
            """,
            Read);
        await batch.RunAsync(cancellationToken);
        return grant.Value!;
    }

    /// <summary>Takes back what a person allowed an app: its tokens end, and it has to ask again.</summary>
    /// <returns>Whether there was anything to take back.</returns>
    public async Task<bool> RevokeAsync(string did, string app, CancellationToken cancellationToken)
    {
        // Families and refresh tokens go with the grant; access tokens with the revocation, in the same transaction.
        var batch = database.Owner.CreateBatch(Access.Write);
        var grants = batch.Execute($"delete from vibe.grants where did = {did} and app_did = {app}");
        var revoked = batch.QueryFirst(Revocation.OfConsent(did, app).ToStatement(options), static row => Revocation.Read(row));
        await batch.RunAsync(cancellationToken);
        revocations.Apply(revoked.Value!);
        return grants.Value > 0;
    }

    private static Grant Read(Row row) => new(
        row.GetGuid(0), row.GetString(1), row.GetTextArray(2), row.GetTimestamp(3), row.GetTimestamp(4), row.GetTimestampOrNull(5));
}
