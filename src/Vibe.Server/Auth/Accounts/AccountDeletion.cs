using System.Data;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Accounts;

/// <summary>
/// Deletes accounts. What lets somebody in or says who they are goes in one transaction; the documents follow beside the requests,
/// however many there are, and whatever happens to this node. The row of the account stays, with its DID and nothing else: a DID is
/// never used again.
/// </summary>
internal sealed class AccountDeletion(
    Database database, RevocationSet revocations, Audit audit, IOwnedDocuments documents, AuthOptions auth, TimeProvider time)
{
    private const int ErasedAtOnce = 20;

    /// <summary>Deletes an account.</summary>
    /// <param name="did">The account.</param>
    /// <param name="handle">Its handle, as its owner gave it to show that it is meant.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="Grpc.Core.RpcException">ACCOUNT_NOT_FOUND, INVALID_ARGUMENT, ACCOUNT_OWNS_APPS.</exception>
    public async Task DeleteAsync(string did, string handle, CancellationToken cancellationToken)
    {
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        var held = await transaction.QueryFirstAsync(
            $"select handle from vibe.accounts where did = {did} and delete_time is null for update", static row => row.GetString(0), cancellationToken)
            ?? throw AccountErrors.NotFound(did);
        if (!string.Equals(held, handle.Trim(), StringComparison.OrdinalIgnoreCase))
        {
            throw VibeError.InvalidField("handle", "is not the handle of the account", "account.handle");
        }

        if (await transaction.QueryFirstAsync(
            $"select exists (select from vibe.apps where owner_did = {did} and delete_time is null)", static row => row.GetBoolean(0), cancellationToken))
        {
            throw AccountErrors.OwnsApps();
        }

        var batch = transaction.CreateBatch();
        foreach (var statement in Statements(did, held))
        {
            batch.Execute(statement);
        }

        var holders = batch.Query(
            $"""
            update vibe.certificates set revoke_time = {time.GetUtcNow()} where issuer_did = {did} and revoke_time is null and subject_did <> {did}
            returning subject_did
            """,
            static row => row.GetString(0));
        await batch.RunAsync(cancellationToken);

        // Its tokens end; who held its certificates loses what they opened.
        var ending = transaction.CreateBatch();
        var revoked = holders.Value.Distinct(StringComparer.Ordinal).Select(Revocation.OfPrincipals).Prepend(Revocation.OfAccount(did))
            .Select(revocation => ending.QueryFirst(revocation.ToStatement(auth), static row => Revocation.Read(row))).ToList();
        await ending.RunAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        revocations.Apply([.. revoked.Select(static revocation => revocation.Value!)]);
    }

    /// <summary>Deletes the documents of accounts that were deleted, until none is left.</summary>
    public async Task EraseAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<string> waiting;
        do
        {
            waiting = await database.Owner.QueryAsync(
                $"select did from vibe.accounts where delete_time is not null and erase_time is null order by delete_time limit {ErasedAtOnce}",
                static row => row.GetString(0), cancellationToken);
            foreach (var did in waiting)
            {
                await documents.DeleteAllAsync(did, cancellationToken);
                await database.Owner.ExecuteAsync($"update vibe.accounts set erase_time = {time.GetUtcNow()} where did = {did}", cancellationToken);
            }
        }
        while (waiting.Count == ErasedAtOnce);
    }

    private IEnumerable<Sql> Statements(string did, string handle)
    {
        var now = time.GetUtcNow();
        return
        [
            $"""
            update vibe.accounts set handle = null, display_name = '', locale = '', password_hash = null, is_operator = false,
              delete_time = {now}, update_time = {now} where did = {did}
            """,
            $"""
            insert into vibe.released_handles (handle, release_time) values ({handle}, {now})
            on conflict (handle) do update set did = null, release_time = excluded.release_time
            """,
            $"update vibe.released_handles set did = null where did = {did}",
            $"delete from vibe.passkeys where did = {did}",
            $"delete from vibe.recovery_codes where did = {did}",
            $"delete from vibe.email_addresses where did = {did}",
            $"delete from vibe.mail_links where did = {did}",
            $"delete from vibe.challenges where did = {did}",
            $"delete from vibe.grants where did = {did}",
            $"delete from vibe.app_admins where did = {did}",
            $"delete from vibe.did_log where did = {did}",
            $"delete from vibe.did_keys where did = {did}",

            // The place in the status list stays, for those who were shown the certificate.
            $"""
            update vibe.certificates set revoke_time = coalesce(revoke_time, {now}), claims = {"{}"}::text::jsonb, token = ''
            where subject_did = {did}
            """,
            $"update vibe.token_families set revoke_time = {now}, revoke_reason = 'account deleted' where did = {did} and revoke_time is null",
            $"update vibe.sessions set revoke_time = coalesce(revoke_time, {now}), user_agent = '', network = '' where did = {did}",
            $"delete from vibe.audit_events where did = {did}",
            audit.ToStatement(new AuditEvent { Type = "account.delete", Did = did, Actor = did }),
        ];
    }
}
