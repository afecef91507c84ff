using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Tokens;

/// <summary>The table of signing keys; the private halves are encrypted with the master key.</summary>
internal sealed class SigningKeyStore(Database database, MasterKey master)
{
    private const string Purpose = "signing key";

    /// <summary>All keys.</summary>
    public async Task<IReadOnlyList<SigningKey>> ReadAsync(CancellationToken cancellationToken)
    {
        var rows = await database.Owner.QueryAsync(
            $"select algorithm, private_key, state, state_time from vibe.signing_keys",
            static row => (Algorithm: row.GetString(0), Key: row.GetBytes(1), State: row.GetString(2), Time: row.GetTimestamp(3)),
            cancellationToken);
        return [.. rows.Select(row => SigningKey.Read(
            row.Algorithm, master.Decrypt(row.Key, Purpose), Enum.Parse<KeyState>(row.State, ignoreCase: true), row.Time))];
    }

    /// <summary>Adds a key, unless another node was first with one of that state.</summary>
    public Task InsertAsync(SigningKey key, CancellationToken cancellationToken) => database.Owner.ExecuteAsync(
        $"""
        insert into vibe.signing_keys (key_id, private_key, algorithm, state, state_time, create_time)
        values ({key.Id}, {new Bytea(master.Encrypt(key.Export(), Purpose))}, {key.Algorithm}, {NameOf(key.State)}, {key.StateTime}, {key.StateTime})
        on conflict do nothing
        """,
        cancellationToken);

    /// <summary>The next key begins to sign in the place of the active one, if that is still the active one.</summary>
    public async Task PromoteAsync(SigningKey active, SigningKey next, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var batch = database.Owner.CreateBatch(Access.Write);
        batch.Execute($"update vibe.signing_keys set state = 'retired', state_time = {now} where key_id = {active.Id} and state = 'active'");
        batch.Execute(
            $"""
            update vibe.signing_keys k set state = 'active', state_time = {now} where key_id = {next.Id} and state = 'next'
            and not exists (select from vibe.signing_keys other where other.algorithm = k.algorithm and other.state = 'active')
            """);
        await batch.RunAsync(cancellationToken);
    }

    /// <summary>Removes keys that signed nothing that is still alive.</summary>
    public Task DeleteRetiredAsync(DateTimeOffset before, CancellationToken cancellationToken) => database.Owner.ExecuteAsync(
        $"delete from vibe.signing_keys where state = 'retired' and state_time < {before}", cancellationToken);

    private static string NameOf(KeyState state) => state switch { KeyState.Next => "next", KeyState.Active => "active", _ => "retired" };
}
