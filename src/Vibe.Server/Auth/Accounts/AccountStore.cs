using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>An account that is to be made.</summary>
/// <param name="Did">Its name for good.</param>
/// <param name="Handle">Its name for people.</param>
/// <param name="DisplayName">What the person is called; may be empty.</param>
/// <param name="PasswordHash">Null without a password.</param>
internal sealed record NewAccount(string Did, string Handle, string DisplayName, string? PasswordHash);

/// <summary>An account as its owner sees it.</summary>
internal sealed record AccountRow
{
    public required string Did { get; init; }

    public required string Handle { get; init; }

    public required string DisplayName { get; init; }

    public required string Locale { get; init; }

    public required bool HasPassword { get; init; }

    public required int RecoveryCodes { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    public required DateTimeOffset UpdateTime { get; init; }
}

/// <summary>The SQL of accounts.</summary>
internal sealed class AccountStore(Database database, AccountOptions options, TimeProvider time)
{
    /// <summary>
    /// The rows of a new account as a fragment <c>insert … returning did</c>: none when the handle rests. Fails on
    /// <c>accounts_handle_key</c> when it is taken.
    /// </summary>
    public Sql Insert(NewAccount account)
    {
        var now = time.GetUtcNow();
        return $"""
            insert into vibe.accounts (did, handle, display_name, password_hash, create_time, update_time)
            select {account.Did}, {account.Handle}, {account.DisplayName}, {account.PasswordHash}, {now}, {now}
            where {IsFree(account.Handle)}
            returning did
            """;
    }

    /// <summary>Whether an account was made.</summary>
    /// <exception cref="Grpc.Core.RpcException">ALREADY_EXISTS, reason HANDLE_TAKEN.</exception>
    public async Task CreateAsync(NewAccount account, CancellationToken cancellationToken) =>
        await WriteHandleAsync(account.Handle, Insert(account), cancellationToken);

    /// <summary>Runs a statement that takes a handle and returns a row when it did.</summary>
    /// <exception cref="Grpc.Core.RpcException">ALREADY_EXISTS, reason HANDLE_TAKEN.</exception>
    public async Task WriteHandleAsync(string handle, Sql statement, CancellationToken cancellationToken)
    {
        try
        {
            if (await database.Owner.WriteFirstAsync(statement, static row => row.GetString(0), cancellationToken) is not null)
            {
                return;
            }
        }
        catch (DatabaseException exception) when (exception is { Kind: DatabaseErrorKind.UniqueViolation, Constraint: "accounts_handle_key" })
        {
            // Somebody has it.
        }

        throw AccountErrors.HandleTaken(handle);
    }

    /// <summary>Whether nobody has the handle and it does not rest.</summary>
    public async Task<bool> IsHandleFreeAsync(string handle, CancellationToken cancellationToken) => await database.Owner.QueryFirstAsync(
        $"select not exists (select from vibe.accounts where handle = {handle}) and {IsFree(handle)}", static row => row.GetBoolean(0), cancellationToken);

    /// <summary>The DID and password hash of the account meant; null when there is none.</summary>
    public Task<PasswordRow?> FindPasswordAsync(Identifier identifier, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"select a.did, a.password_hash from vibe.accounts a where {identifier.Condition}",
        static row => new PasswordRow(row.GetString(0), row.GetStringOrNull(1)), cancellationToken);

    /// <summary>The password hash of an account; null without one.</summary>
    public Task<string?> FindPasswordHashAsync(string did, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"select password_hash from vibe.accounts where did = {did}", static row => row.GetStringOrNull(0), cancellationToken);

    /// <summary>Sets a password.</summary>
    public Task SetPasswordAsync(string did, string hash, CancellationToken cancellationToken) => database.Owner.ExecuteAsync(
        $"update vibe.accounts set password_hash = {hash}, update_time = {time.GetUtcNow()} where did = {did} and delete_time is null",
        cancellationToken);

    /// <summary>The account, null when it is gone.</summary>
    public Task<AccountRow?> FindAsync(string did, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"""
        select a.did, a.handle, a.display_name, a.locale, a.password_hash is not null,
          (select count(*)::int from vibe.recovery_codes c where c.did = a.did), a.create_time, a.update_time
        from vibe.accounts a where a.did = {did} and a.delete_time is null
        """,
        static row => new AccountRow
        {
            Did = row.GetString(0),
            Handle = row.GetString(1),
            DisplayName = row.GetString(2),
            Locale = row.GetString(3),
            HasPassword = row.GetBoolean(4),
            RecoveryCodes = row.GetInt32(5),
            CreateTime = row.GetTimestamp(6),
            UpdateTime = row.GetTimestamp(7),
        },
        cancellationToken);

    /// <summary>Changes what a person is called.</summary>
    public Task UpdateAsync(string did, string displayName, string locale, CancellationToken cancellationToken) => database.Owner.ExecuteAsync(
        $"""
        update vibe.accounts set display_name = {displayName}, locale = {locale}, update_time = {time.GetUtcNow()}
        where did = {did} and delete_time is null
        """,
        cancellationToken);

    /// <summary>Gives the account another handle; nobody else gets the old one for a while, its owner may take it back.</summary>
    /// <exception cref="Grpc.Core.RpcException">ALREADY_EXISTS, reason HANDLE_TAKEN.</exception>
    public Task ChangeHandleAsync(string did, string handle, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return WriteHandleAsync(
            handle,
            $"""
            with old as (select handle from vibe.accounts where did = {did} and delete_time is null),
            changed as (
              update vibe.accounts set handle = {handle}, update_time = {now}
              where did = {did} and delete_time is null and handle <> {handle}
                and (({IsFree(handle)}) or exists (select from vibe.released_handles where handle = {handle} and did = {did}))
              returning did),
            released as (
              insert into vibe.released_handles (handle, did, release_time) select old.handle, {did}, {now} from old, changed
              on conflict (handle) do update set did = excluded.did, release_time = excluded.release_time)
            select did from changed
            """,
            cancellationToken);
    }

    /// <summary>The verified addresses of an account.</summary>
    public Task<IReadOnlyList<EmailAddressRow>> ListAddressesAsync(string did, CancellationToken cancellationToken) => database.Owner.QueryAsync(
        $"select address, verify_time from vibe.email_addresses where did = {did} order by verify_time, address",
        static row => new EmailAddressRow(row.GetString(0), row.GetTimestamp(1)), cancellationToken);

    /// <summary>Takes an address from an account.</summary>
    public async Task<bool> DeleteAddressAsync(string did, string address, CancellationToken cancellationToken) => await database.Owner.ExecuteAsync(
        $"delete from vibe.email_addresses where did = {did} and address = {address}", cancellationToken) > 0;

    private Sql IsFree(string handle) =>
        $"not exists (select from vibe.released_handles where handle = {handle} and release_time > {time.GetUtcNow() - options.HandleRest})";
}

/// <summary>A password as it is kept.</summary>
internal sealed record PasswordRow(string Did, string? Hash);

/// <summary>An address that was verified.</summary>
internal sealed record EmailAddressRow(string Address, DateTimeOffset VerifyTime);
