using System.Data;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Accounts;

namespace Vibe.Server.Apps;

/// <summary>An account that looks after an app.</summary>
internal sealed record AppMember(string Did, string Handle, bool IsOwner);

/// <summary>Who looks after which app.</summary>
internal sealed class AppMemberStore(Database database, Audit audit)
{
    /// <summary>How many admins an app may have.</summary>
    public const int MaxAdmins = 100;

    /// <summary>The owner, then the admins in the order they came.</summary>
    public Task<IReadOnlyList<AppMember>> ListAsync(string app, CancellationToken cancellationToken) => database.Owner.QueryAsync(
        $"""
        select c.did, coalesce(c.handle, ''), m.is_owner from (
          select a.owner_did as did, true as is_owner, a.create_time from vibe.apps a where a.did = {app}
          union all select x.did, false, x.create_time from vibe.app_admins x where x.app_did = {app}) m
        join vibe.accounts c on c.did = m.did order by m.is_owner desc, m.create_time, c.did
        """,
        static row => new AppMember(row.GetString(0), row.GetString(1), row.GetBoolean(2)), cancellationToken);

    /// <summary>Adds an admin; no change when the account looks after the app already.</summary>
    /// <returns>False when there is no such account, or too many admins.</returns>
    public async Task<bool> AddAsync(string app, string account, AuditEvent told, CancellationToken cancellationToken)
    {
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        // One after the other, or two at once would both find room.
        if (await transaction.QueryFirstAsync(
            $"""
            select a.owner_did = {account} or exists (select from vibe.app_admins x where x.app_did = a.did and x.did = {account})
            from vibe.apps a where a.did = {app} for update
            """,
            static row => row.GetBooleanOrNull(0), cancellationToken) is true)
        {
            return true;
        }

        var added = await transaction.ExecuteAsync(
            $"""
            insert into vibe.app_admins (app_did, did)
            select {app}, c.did from vibe.accounts c where c.did = {account} and c.delete_time is null
              and (select count(*) from vibe.app_admins x where x.app_did = {app}) < {MaxAdmins}
            """,
            cancellationToken);
        return await EndAsync(transaction, added, app, account, told, cancellationToken);
    }

    /// <summary>Removes an admin.</summary>
    /// <returns>False when the account is none.</returns>
    public async Task<bool> RemoveAsync(string app, string account, AuditEvent told, CancellationToken cancellationToken)
    {
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        var removed = await transaction.ExecuteAsync($"delete from vibe.app_admins where app_did = {app} and did = {account}", cancellationToken);
        return await EndAsync(transaction, removed, app, account, told, cancellationToken);
    }

    /// <summary>Makes an admin the owner's successor and the owner an admin; part of a change of the app.</summary>
    public static IReadOnlyList<Sql> Swap(string app, string owner, string successor) =>
    [
        $"delete from vibe.app_admins where app_did = {app} and did = {successor}",
        $"insert into vibe.app_admins (app_did, did) select {app}, {owner} where {owner} <> '' on conflict do nothing",
    ];

    private async Task<bool> EndAsync(Transaction transaction, long changed, string app, string account, AuditEvent told, CancellationToken cancellationToken)
    {
        if (changed == 0)
        {
            return false;
        }

        await transaction.ExecuteAsync(audit.ToStatement(told with { App = app, Did = account }), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }
}
