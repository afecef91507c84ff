using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.Revocations;

namespace Vibe.Server.Auth.OAuth;

/// <summary>The table of token families: their life, and their end.</summary>
internal sealed class TokenFamilies(Database database, RevocationSet revocations, Audit audit, AuthOptions options, TimeProvider time)
{
    /// <summary>How long a family lives at most, however often it is refreshed.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(90);

    /// <summary>A family of an app as itself: as long as its one token.</summary>
    /// <exception cref="OAuthError">invalid_client: the app was stopped.</exception>
    public async Task<TokenFamily> CreateOfAppAsync(
        string app, IReadOnlyList<string> scopes, string? keyThumbprint, TimeSpan life, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var family = new TokenFamily { Id = Guid.CreateVersion7(now), Did = app, Scopes = scopes, KeyThumbprint = keyThumbprint };
        return await database.Owner.ExecuteAsync(ToStatement(family, app, now, now + life), cancellationToken) == 1
            ? family
            : throw OAuthError.InvalidClient();
    }

    /// <summary>
    /// The statement that writes down a family without a person's consent: of an app as itself, or of an operator. It writes
    /// nothing for an app that was stopped, whatever a node remembers of it.
    /// </summary>
    public static Sql ToStatement(TokenFamily family, string? app, DateTimeOffset now, DateTimeOffset expireTime) =>
        $"""
        insert into vibe.token_families (id, did, app_did, key_thumbprint, scopes, create_time, last_use_time, expire_time)
        select {family.Id}, {family.Did}, {app}, {family.KeyThumbprint}, {family.Scopes}, {now}, {now}, {expireTime}
        where {app} is null or exists (select from vibe.apps where did = {app} and disable_time is null and delete_time is null)
        """;

    /// <summary>Whether a family still is: not revoked, on a grant that holds, of an account and an app that are not disabled.</summary>
    public async Task<bool> IsAliveAsync(Guid id, CancellationToken cancellationToken) => await database.Owner.QueryFirstAsync(
        $"""
        select exists (
          select from vibe.token_families f
            left join vibe.apps p on p.did = f.app_did
            left join vibe.accounts a on a.did = f.did
            left join vibe.grants g on g.id = f.grant_id
          where f.id = {id} and f.revoke_time is null and f.expire_time > {time.GetUtcNow()}
            and p.disable_time is null and p.delete_time is null and a.disable_time is null and a.delete_time is null
            and (g.expire_time is null or g.expire_time > {time.GetUtcNow()}))
        """,
        static row => row.GetBoolean(0),
        cancellationToken);

    /// <summary>Ends a family: its refresh tokens at once, its access tokens as soon as every node knows.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="reason">Why, for the record: <c>reuse</c>, <c>revoke</c>.</param>
    /// <param name="network">Where the request that ended it came from.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task RevokeAsync(Guid id, string reason, string network, CancellationToken cancellationToken)
    {
        var revocation = Revocation.OfGrant(id.ToString());
        var batch = database.Owner.CreateBatch(Access.Write);
        var revoked = batch.QueryFirst(revocation.ToStatement(options), static row => Revocation.Read(row));
        var update = batch.QueryFirst(
            $"""
            update vibe.token_families set revoke_time = {time.GetUtcNow()}, revoke_reason = {reason}
            where id = {id} and revoke_time is null returning did, app_did
            """,
            static row => new { Did = row.GetString(0), App = row.GetStringOrNull(1) });
        await batch.RunAsync(cancellationToken);
        revocations.Apply(revoked.Value!);
        var ended = update.Value;
        if (ended is not null)
        {
            await audit.WriteAsync(
                new AuditEvent
                {
                    Type = "token.revoke", Did = ended.Did, App = ended.App, Network = network,
                    Details = new Dictionary<string, string> { ["reason"] = reason },
                },
                cancellationToken);
        }
    }
}
