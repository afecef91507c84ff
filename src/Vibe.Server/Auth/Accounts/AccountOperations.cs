using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Hosting;

namespace Vibe.Server.Auth.Accounts;

/// <summary>What whoever runs the installation does to accounts. Servers that run on the database notice within a second.</summary>
internal sealed class AccountOperations(Database database, Audit audit, AuthOptions auth, TimeProvider time)
{
    /// <summary>Stops an account: nobody signs in, its tokens and live streams end. Or lets it go on.</summary>
    /// <exception cref="Refusal">Nobody has the handle.</exception>
    public async Task SetDisabledAsync(string handle, bool disabled, CancellationToken cancellationToken)
    {
        var did = await FindAsync(handle, cancellationToken);
        var now = time.GetUtcNow();
        var batch = database.Owner.CreateBatch(Access.Write);
        batch.Execute($"update vibe.accounts set disable_time = {(disabled ? now : null)}, update_time = {now} where did = {did}");
        batch.Execute(audit.ToStatement(new AuditEvent { Type = disabled ? "account.disable" : "account.enable", Did = did }));
        if (disabled)
        {
            batch.Execute($"update vibe.sessions set revoke_time = {now} where did = {did} and revoke_time is null");
            batch.Execute(
                $"update vibe.token_families set revoke_time = {now}, revoke_reason = 'account disabled' where did = {did} and revoke_time is null");
            batch.QueryFirst(Revocation.OfAccount(did).ToStatement(auth), static row => Revocation.Read(row));
        }

        await batch.RunAsync(cancellationToken);
    }

    /// <summary>Makes somebody an operator, who may be given the scope <c>admin</c>; or no longer one, which ends the tokens there are.</summary>
    /// <exception cref="Refusal">Nobody has the handle.</exception>
    public async Task SetOperatorAsync(string handle, bool isOperator, CancellationToken cancellationToken)
    {
        var did = await FindAsync(handle, cancellationToken);
        var batch = database.Owner.CreateBatch(Access.Write);
        batch.Execute($"update vibe.accounts set is_operator = {isOperator}, update_time = {time.GetUtcNow()} where did = {did}");
        batch.Execute(audit.ToStatement(new AuditEvent { Type = isOperator ? "operator.add" : "operator.remove", Did = did }));
        if (!isOperator)
        {
            batch.QueryFirst(Revocation.OfAccount(did).ToStatement(auth), static row => Revocation.Read(row));
        }

        await batch.RunAsync(cancellationToken);
    }

    private async Task<string> FindAsync(string handle, CancellationToken cancellationToken) => await database.Owner.QueryFirstAsync(
        $"select did from vibe.accounts where handle = {handle} and delete_time is null", static row => row.GetString(0), cancellationToken)
        ?? throw new Refusal($"Nobody has the handle \"{handle}\".");
}
