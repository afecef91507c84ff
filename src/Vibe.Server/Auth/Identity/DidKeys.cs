using System.Text;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.Identity;

/// <summary>What a key of an account or app is for.</summary>
internal enum DidKeyPurpose
{
    /// <summary>Signs certificates.</summary>
    Signing,

    /// <summary>Signs the log of the DID document.</summary>
    Update,
}

/// <summary>
/// Keys that the platform holds for accounts and apps: ES256, made when they are first needed, encrypted with the master key.
/// Private halves leave this class for no longer than one signature takes.
/// </summary>
internal sealed class DidKeys(Database database, MasterKey master, TimeProvider time)
{
    private const string Purpose = "DID key";

    /// <summary>The key of an account or app; two nodes that make it at once agree on one.</summary>
    public async Task<SigningKey> FindOrCreateAsync(string did, DidKeyPurpose purpose, CancellationToken cancellationToken)
    {
        var name = NameOf(purpose);
        if (await FindAsync(did, name, cancellationToken) is { } known)
        {
            return known;
        }

        var made = SigningKey.Create("ES256", KeyState.Active, time.GetUtcNow());
        await database.Owner.ExecuteAsync(
            $"""
            insert into vibe.did_keys (did, purpose, key_id, public_key, private_key)
            values ({did}, {name}, {made.Id}, {Encoding.UTF8.GetBytes(made.Public.ToJwk().ToJsonString())}, {new Bytea(master.Encrypt(made.Export(), Purpose))})
            on conflict do nothing
            """,
            cancellationToken);
        return (await FindAsync(did, name, cancellationToken))!;
    }

    private static string NameOf(DidKeyPurpose purpose) => purpose == DidKeyPurpose.Signing ? "signing" : "update";

    private async Task<SigningKey?> FindAsync(string did, string purpose, CancellationToken cancellationToken)
    {
        var (key, since) = await database.Owner.QueryFirstAsync(
            $"select private_key, create_time from vibe.did_keys where did = {did} and purpose = {purpose}",
            static row => (row.GetBytes(0), row.GetTimestamp(1)), cancellationToken);
        return key is null ? null : SigningKey.Read("ES256", master.Decrypt(key, Purpose), KeyState.Active, since);
    }
}
