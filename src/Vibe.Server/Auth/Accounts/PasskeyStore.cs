using Microsoft.AspNetCore.Identity;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>A passkey as its owner sees it.</summary>
internal sealed record PasskeyRow
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required bool IsSynced { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    /// <summary>From when on it signs in.</summary>
    public required DateTimeOffset ActiveTime { get; init; }

    public required DateTimeOffset? LastUseTime { get; init; }
}

/// <summary>The SQL of passkeys.</summary>
internal sealed class PasskeyStore(Database database, TimeProvider time)
{
    private static readonly Sql Columns = $"""
        p.credential_id, p.public_key, p.create_time, p.sign_count, p.transports, p.is_user_verified, p.is_backup_eligible, p.is_backed_up,
        p.attestation_object, p.client_data_json, p.name
        """;

    /// <summary>The statement that adds a passkey to the account of a fragment <c>account (did)</c>, returning its DID.</summary>
    public static Sql Insert(Sql account, Guid id, UserPasskeyInfo passkey, DateTimeOffset activeTime) => $"""
        insert into vibe.passkeys (credential_id, id, did, name, public_key, sign_count, transports, is_user_verified, is_backup_eligible,
          is_backed_up, attestation_object, client_data_json, create_time, active_time)
        select {new Bytea(passkey.CredentialId)}, {id}, a.did, {passkey.Name ?? ""}, {new Bytea(passkey.PublicKey)}, {(long)passkey.SignCount},
          {passkey.Transports ?? []}, {passkey.IsUserVerified}, {passkey.IsBackupEligible}, {passkey.IsBackedUp},
          {new Bytea(passkey.AttestationObject)}, {new Bytea(passkey.ClientDataJson)}, {passkey.CreatedAt}, {activeTime}
        from ({account}) a
        returning did
        """;

    /// <summary>Adds a passkey to an account.</summary>
    /// <exception cref="DatabaseException">The credential is registered (constraint <c>passkeys_pkey</c>).</exception>
    public Task AddAsync(string did, Guid id, UserPasskeyInfo passkey, DateTimeOffset activeTime, CancellationToken cancellationToken) =>
        database.Owner.WriteFirstAsync(
            Insert($"select did from vibe.accounts where did = {did} and delete_time is null", id, passkey, activeTime),
            static row => row.GetString(0), cancellationToken);

    /// <summary>The account with this UUID, null when there is none or it is gone.</summary>
    public Task<VibeUser?> FindUserAsync(string id, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"select did, handle from vibe.accounts where right(did, 32) = {id} and delete_time is null",
        static row => new VibeUser(VibeUser.IdOf(row.GetString(0)), row.GetString(0), row.GetString(1)),
        cancellationToken);

    /// <summary>The account a passkey belongs to, also one that does not sign in yet: a credential is registered once.</summary>
    public Task<VibeUser?> FindOwnerAsync(byte[] credentialId, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"select a.did, a.handle from vibe.passkeys p join vibe.accounts a on a.did = p.did where p.credential_id = {new Bytea(credentialId)}",
        static row => new VibeUser(VibeUser.IdOf(row.GetString(0)), row.GetString(0), row.GetString(1)),
        cancellationToken);

    /// <summary>All passkeys of an account, also those that do not sign in yet.</summary>
    public async Task<IList<UserPasskeyInfo>> ListInfosAsync(string did, CancellationToken cancellationToken) => [.. await database.Owner.QueryAsync(
        $"select {Columns} from vibe.passkeys p where p.did = {did}", ReadInfo, cancellationToken)];

    /// <summary>A passkey that signs in to an account; null when there is none.</summary>
    public Task<UserPasskeyInfo?> FindActiveAsync(string did, byte[] credentialId, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"""
        select {Columns} from vibe.passkeys p
        where p.did = {did} and p.credential_id = {new Bytea(credentialId)} and p.active_time <= {time.GetUtcNow()}
        """,
        ReadInfo,
        cancellationToken);

    /// <summary>
    /// Remembers a use. False when the counter has not grown since it was last written: a copy of the passkey was quicker.
    /// Passkeys that do not count send 0.
    /// </summary>
    public async Task<bool> UseAsync(UserPasskeyInfo passkey, CancellationToken cancellationToken) => await database.Owner.ExecuteAsync(
        $"""
        update vibe.passkeys set sign_count = {(long)passkey.SignCount}, is_backed_up = {passkey.IsBackedUp},
          is_user_verified = {passkey.IsUserVerified}, last_use_time = {time.GetUtcNow()}
        where credential_id = {new Bytea(passkey.CredentialId)} and (sign_count < {(long)passkey.SignCount} or (sign_count = 0 and {(long)passkey.SignCount} = 0))
        """,
        cancellationToken) > 0;

    /// <summary>The passkeys of an account.</summary>
    public Task<IReadOnlyList<PasskeyRow>> ListAsync(string did, CancellationToken cancellationToken) => database.Owner.QueryAsync(
        $"""
        select id, name, is_backup_eligible, create_time, active_time, last_use_time from vibe.passkeys where did = {did} order by create_time, id
        """,
        static row => new PasskeyRow
        {
            Id = row.GetGuid(0),
            Name = row.GetString(1),
            IsSynced = row.GetBoolean(2),
            CreateTime = row.GetTimestamp(3),
            ActiveTime = row.GetTimestamp(4),
            LastUseTime = row.GetTimestampOrNull(5),
        },
        cancellationToken);

    /// <summary>Names a passkey; false when there is none.</summary>
    public async Task<bool> RenameAsync(string did, Guid id, string name, CancellationToken cancellationToken) => await database.Owner.ExecuteAsync(
        $"update vibe.passkeys set name = {name} where did = {did} and id = {id}", cancellationToken) > 0;

    /// <summary>
    /// Removes a passkey, unless nothing else would be left to sign in with. Waits for others who do the same to the account.
    /// </summary>
    public async Task<PasskeyRemoval> DeleteAsync(string did, Guid id, CancellationToken cancellationToken)
    {
        var batch = database.Owner.CreateBatch(Access.Write);
        batch.QueryFirst($"select did from vibe.accounts where did = {did} for update", static row => row.GetString(0));
        var removal = batch.QueryFirst(
            $"""
            with gone as (
              delete from vibe.passkeys p where p.did = {did} and p.id = {id} and (
                exists (select from vibe.accounts a where a.did = {did} and a.password_hash is not null)
                or exists (select from vibe.passkeys o where o.did = {did} and o.id <> {id} and o.active_time <= {time.GetUtcNow()})
                or p.active_time > {time.GetUtcNow()})
              returning p.id)
            select exists (select from gone), exists (select from vibe.passkeys p where p.did = {did} and p.id = {id})
            """,
            static row => (IsGone: row.GetBoolean(0), WasThere: row.GetBoolean(1)));
        await batch.RunAsync(cancellationToken);
        return removal.Value switch
        {
            { IsGone: true } => PasskeyRemoval.Removed,
            { WasThere: true } => PasskeyRemoval.IsLast,
            _ => PasskeyRemoval.NotThere,
        };
    }

    private static UserPasskeyInfo ReadInfo(Row row) => new(
        row.GetBytes(0), row.GetBytes(1), row.GetTimestamp(2), (uint)row.GetInt64(3), row.GetTextArray(4), row.GetBoolean(5), row.GetBoolean(6),
        row.GetBoolean(7), row.GetBytes(8), row.GetBytes(9))
    { Name = row.GetString(10) };
}

/// <summary>What became of the wish to remove a passkey.</summary>
internal enum PasskeyRemoval
{
    /// <summary>It is gone.</summary>
    Removed,

    /// <summary>It is the last way to sign in.</summary>
    IsLast,

    /// <summary>There is none.</summary>
    NotThere,
}
