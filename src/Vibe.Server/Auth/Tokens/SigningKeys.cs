using System.Collections.Frozen;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Tokens;

/// <summary>
/// The keys of this deployment as this node knows them: shared by all nodes through the database, encrypted there.
/// <see cref="KeyRotation"/> keeps them fresh. Thread-safe.
/// </summary>
internal sealed class SigningKeys
{
    private volatile FrozenDictionary<string, SigningKey> _keys;

    /// <summary>Holds keys.</summary>
    public SigningKeys(IReadOnlyList<SigningKey> keys) => _keys = keys.ToFrozenDictionary(key => key.Id, StringComparer.Ordinal);

    /// <summary>All of them, for JWKS.</summary>
    public IReadOnlyList<SigningKey> All => _keys.Values;

    /// <summary>The key that signs access tokens, and everything else where nobody asked for RS256.</summary>
    public SigningKey Active => FindActive("ES256") ?? throw new InvalidOperationException("No key signs.");

    /// <summary>The key that signs with an algorithm; null when none has been made yet.</summary>
    public SigningKey? FindActive(string algorithm) =>
        _keys.Values.FirstOrDefault(key => key.State == KeyState.Active && key.Algorithm == algorithm);

    /// <summary>The key with this id, null when there is none.</summary>
    public SigningKey? Find(string id) => _keys.GetValueOrDefault(id);

    /// <summary>Takes what another node may have changed.</summary>
    public void Replace(IReadOnlyList<SigningKey> keys) => _keys = keys.ToFrozenDictionary(key => key.Id, StringComparer.Ordinal);

    /// <summary>Reads the keys, making the first one when there is none; two nodes that start at once agree on it.</summary>
    public static async Task<SigningKeys> LoadAsync(Database database, MasterKey master, CancellationToken cancellationToken)
    {
        var store = new SigningKeyStore(database, master);
        var keys = new SigningKeys(await store.ReadAsync(cancellationToken));
        if (keys.FindActive("ES256") is null)
        {
            await store.InsertAsync(SigningKey.Create("ES256", KeyState.Active, TimeProvider.System.GetUtcNow()), cancellationToken);
            keys.Replace(await store.ReadAsync(cancellationToken));
        }

        return keys;
    }
}
