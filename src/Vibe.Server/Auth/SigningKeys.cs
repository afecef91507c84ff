using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth;

/// <summary>The ES256 keys of this deployment: shared by all nodes through the database, encrypted there.</summary>
internal sealed class SigningKeys
{
    private const string Purpose = "signing key";
    private readonly FrozenDictionary<string, SigningKey> _keys;

    /// <summary>Holds the keys; exactly one of them is active.</summary>
    public SigningKeys(IReadOnlyList<SigningKey> keys)
    {
        Active = keys.Single(key => key.IsActive);
        _keys = keys.ToFrozenDictionary(key => key.Id, StringComparer.Ordinal);
    }

    /// <summary>The key that signs.</summary>
    public SigningKey Active { get; }

    /// <summary>The key with this id, null when there is none.</summary>
    public SigningKey? Find(string id) => _keys.GetValueOrDefault(id);

    /// <summary>Reads the keys, making the first one when there is none; two nodes that start at once agree on it.</summary>
    public static async Task<SigningKeys> LoadAsync(Database database, MasterKey master, CancellationToken cancellationToken)
    {
        var keys = await ReadAsync(database, master, cancellationToken);
        if (!keys.Any(key => key.IsActive))
        {
            using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var key = new Bytea(master.Encrypt(made.ExportPkcs8PrivateKey(), Purpose));
            await database.Owner.ExecuteAsync(
                $"insert into vibe.signing_keys (key_id, private_key, active) values ({Thumbprint(made)}, {key}, true) on conflict do nothing",
                cancellationToken);
            keys = await ReadAsync(database, master, cancellationToken);
        }

        return new SigningKeys(keys);
    }

    private static async Task<IReadOnlyList<SigningKey>> ReadAsync(Database database, MasterKey master, CancellationToken cancellationToken)
    {
        var rows = await database.Owner.QueryAsync(
            $"select key_id, private_key, active from vibe.signing_keys",
            static row => (Id: row.GetString(0), PrivateKey: row.GetBytes(1), IsActive: row.GetBoolean(2)),
            cancellationToken);
        return [.. rows.Select(row =>
        {
            var key = ECDsa.Create();
            key.ImportPkcs8PrivateKey(master.Decrypt(row.PrivateKey, Purpose), out _);
            return new SigningKey(row.Id, key, row.IsActive);
        })];
    }

    // RFC 7638: SHA-256 over the required members of the JWK, in order of name, without white space.
    private static string Thumbprint(ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var jwk = $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(jwk)));
    }
}

/// <summary>One key. <see cref="ECDsa"/> instances are safe to use from several threads at once.</summary>
internal sealed record SigningKey(string Id, ECDsa Key, bool IsActive);
