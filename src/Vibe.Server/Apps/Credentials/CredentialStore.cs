using System.Data;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Vibe.Apps.V1;
using Vibe.Postgres.Sessions;
using Vibe.Rpc.Json;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Apps.Credentials;

/// <summary>A credential as it is stored, without the secret's hash.</summary>
internal sealed record CredentialRow
{
    /// <summary>The columns of a row <c>c</c> that <see cref="Read"/> expects, in its order.</summary>
    public static readonly Sql Columns = $"c.id, c.name, c.jwk, c.create_time, c.last_use_time, c.expire_time";

    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required ReadOnlyMemory<byte>? Jwk { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    public required DateTimeOffset? LastUseTime { get; init; }

    public required DateTimeOffset? ExpireTime { get; init; }

    /// <summary>Reads a row of <see cref="Columns"/>.</summary>
    public static CredentialRow Read(Row row) => new()
    {
        Id = row.GetGuid(0),
        Name = row.GetString(1),
        Jwk = row.GetJsonOrNull(2),
        CreateTime = row.GetTimestamp(3),
        LastUseTime = row.GetTimestampOrNull(4),
        ExpireTime = row.GetTimestampOrNull(5),
    };

    /// <summary>As the contract shows it.</summary>
    public AppCredential ToProto()
    {
        var credential = new AppCredential
        {
            Id = Id.ToString(),
            Kind = Jwk is null ? CredentialKind.Secret : CredentialKind.Key,
            Name = Name,
            CreateTime = Timestamp.FromDateTimeOffset(CreateTime),
            LastUseTime = LastUseTime is { } used ? Timestamp.FromDateTimeOffset(used) : null,
            ExpireTime = ExpireTime is { } end ? Timestamp.FromDateTimeOffset(end) : null,
        };
        if (Jwk is { } jwk)
        {
            credential.Jwk = StructJson.ToStruct(jwk.Span);
        }

        return credential;
    }
}

/// <summary>Secrets and keys of apps.</summary>
internal sealed class CredentialStore(Database database, Audit audit)
{
    /// <summary>How many good ones an app may have.</summary>
    public const int MaxPerApp = 10;

    private static readonly Sql IsGood = $"c.revoke_time is null and (c.expire_time is null or c.expire_time > now())";

    /// <summary>Adds a credential.</summary>
    /// <param name="app">The DID of the app.</param>
    /// <param name="id">The id it gets.</param>
    /// <param name="name">What people call it.</param>
    /// <param name="secretHash">SHA-256 of the secret; null for a key.</param>
    /// <param name="key">The key; null for a secret.</param>
    /// <param name="expireTime">When it ends; null for never.</param>
    /// <param name="told">For the audit log.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>Null when the app has too many.</returns>
    public async Task<CredentialRow?> AddAsync(
        string app, Guid id, string name, Bytea? secretHash, VerificationKey? key, DateTimeOffset? expireTime, AuditEvent told, CancellationToken cancellationToken)
    {
        var jwk = key is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(key.ToJwk().ToJsonString());
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        // One after the other, or two at once would both find room.
        await transaction.QueryAsync($"select a.did from vibe.apps a where a.did = {app} for update", static row => row.GetString(0), cancellationToken);
        var added = await transaction.QueryFirstAsync(
            $"""
            insert into vibe.app_credentials as c (id, app_did, kind, secret_hash, jwk, name, expire_time)
            select {id}, {app}, {(key is null ? "secret" : "key")}, {secretHash}, {jwk}, {name}, {expireTime}
            where (select count(*) from vibe.app_credentials c where c.app_did = {app} and {IsGood}) < {MaxPerApp}
            returning {CredentialRow.Columns}
            """,
            static row => CredentialRow.Read(row), cancellationToken);
        if (added is not null)
        {
            await transaction.ExecuteAsync(audit.ToStatement(told with { App = app }), cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return added;
    }

    /// <summary>The good ones, oldest first.</summary>
    public Task<IReadOnlyList<CredentialRow>> ListAsync(string app, CancellationToken cancellationToken) => database.Owner.QueryAsync(
        $"select {CredentialRow.Columns} from vibe.app_credentials c where c.app_did = {app} and {IsGood} order by c.id",
        static row => CredentialRow.Read(row), cancellationToken);

    /// <summary>Ends one.</summary>
    /// <returns>False when there is no such good one.</returns>
    public async Task<bool> RevokeAsync(string app, Guid id, AuditEvent told, CancellationToken cancellationToken)
    {
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        var revoked = await transaction.ExecuteAsync(
            $"update vibe.app_credentials c set revoke_time = now() where c.app_did = {app} and c.id = {id} and {IsGood}", cancellationToken);
        if (revoked == 0)
        {
            return false;
        }

        await transaction.ExecuteAsync(audit.ToStatement(told with { App = app }), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Ends all of an app; part of its deletion.</summary>
    public static Sql RevokeAll(string app) => $"update vibe.app_credentials set revoke_time = now() where app_did = {app} and revoke_time is null";
}
