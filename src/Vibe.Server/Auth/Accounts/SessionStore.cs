using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>The SQL of sessions.</summary>
internal sealed class SessionStore(Database database)
{
    private static readonly Sql Columns =
        $"s.id, s.did, a.handle, a.display_name, s.auth_time, s.methods, a.is_operator";

    /// <summary>The live session with one of these hashes, and when it was last used.</summary>
    public Task<FoundSession?> FindAsync(Sql condition, DateTimeOffset now, TimeSpan idle, CancellationToken cancellationToken) =>
        database.Owner.QueryFirstAsync(
            $"""
            select {Columns}, s.last_use_time from vibe.sessions s join vibe.accounts a on a.did = s.did
            where {condition} and s.revoke_time is null and s.expire_time > {now} and s.last_use_time > {now - idle}
              and a.disable_time is null and a.delete_time is null
            """,
            static row => new FoundSession(Read(row), row.GetTimestamp(7)),
            cancellationToken);

    /// <summary>The sessions of a person that were not revoked.</summary>
    public Task<IReadOnlyList<Guid>> ListIdsAsync(string did, CancellationToken cancellationToken) => database.Owner.QueryAsync(
        $"select id from vibe.sessions where did = {did} and revoke_time is null", static row => row.GetGuid(0), cancellationToken);

    /// <summary>The browsers a person is signed in with, the last used first.</summary>
    public Task<IReadOnlyList<SessionRow>> ListAsync(string did, DateTimeOffset now, TimeSpan idle, CancellationToken cancellationToken) =>
        database.Owner.QueryAsync(
            $"""
            select id, user_agent, network, methods, auth_time, last_use_time, expire_time from vibe.sessions
            where did = {did} and revoke_time is null and expire_time > {now} and last_use_time > {now - idle}
            order by last_use_time desc, id
            """,
            static row => new SessionRow
            {
                Id = row.GetGuid(0),
                UserAgent = row.GetString(1),
                Network = row.GetString(2),
                Methods = row.GetTextArray(3),
                AuthTime = row.GetTimestamp(4),
                LastUseTime = row.GetTimestamp(5),
                ExpireTime = row.GetTimestamp(6),
            },
            cancellationToken);

    /// <summary>Remembers that a session was used.</summary>
    public Task TouchAsync(Guid id, DateTimeOffset now, string network, CancellationToken cancellationToken) => database.Owner.ExecuteAsync(
        $"update vibe.sessions set last_use_time = {now}, network = {network} where id = {id} and revoke_time is null", cancellationToken);

    /// <summary>
    /// Makes a session in the place of another one of the same person, whose apps stay signed in; null when the account is
    /// disabled or gone.
    /// </summary>
    public async Task<Session?> CreateAsync(NewSession made, Guid? replaces, Sql audit, CancellationToken cancellationToken)
    {
        var batch = database.Owner.CreateBatch(Access.Write);
        var session = batch.QueryFirst(
            $"""
            with a as (
              select did, handle, display_name, is_operator from vibe.accounts
              where did = {made.Did} and disable_time is null and delete_time is null),
            s as (
              insert into vibe.sessions
                (id, secret_hash, fedcm_hash, did, methods, auth_time, create_time, last_use_time, expire_time, user_agent, network)
              select {made.Id}, {made.SecretHash}, {made.FedCmHash}, a.did, {made.Methods}, {made.Time}, {made.Time}, {made.Time},
                {made.ExpireTime}, {made.UserAgent}, {made.Network}
              from a returning *)
            select {Columns} from s join a on a.did = s.did
            """,
            Read);
        if (replaces is { } old)
        {
            batch.Execute($"update vibe.token_families set session_id = {made.Id} where session_id = {old} and did = {made.Did}");
            batch.Execute($"update vibe.sessions set revoke_time = {made.Time} where id = {old} and did = {made.Did} and revoke_time is null");
        }

        batch.Execute(audit);
        await batch.RunAsync(cancellationToken);
        return session.Value;
    }

    /// <summary>Ends a session and the families of tokens that came from it.</summary>
    /// <returns>What their tokens call the grant: the session itself, and each family.</returns>
    public async Task<IReadOnlyList<Guid>> RevokeAsync(Guid id, string reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var batch = database.Owner.CreateBatch(Access.Write);
        batch.Execute($"update vibe.sessions set revoke_time = {now} where id = {id} and revoke_time is null");
        var families = batch.Query(
            $"""
            update vibe.token_families set revoke_time = {now}, revoke_reason = {reason} where session_id = {id} and revoke_time is null
            returning id
            """,
            static row => row.GetGuid(0));
        await batch.RunAsync(cancellationToken);
        return [id, .. families.Value];
    }

    private static Session Read(Row row) => new()
    {
        Id = row.GetGuid(0),
        Did = row.GetString(1),
        Handle = row.GetString(2),
        DisplayName = row.GetString(3),
        AuthTime = row.GetTimestamp(4),
        Methods = row.GetTextArray(5),
        IsOperator = row.GetBoolean(6),
    };
}

/// <summary>A session as found, with when it was last seen.</summary>
internal sealed record FoundSession(Session Session, DateTimeOffset LastUseTime);

/// <summary>A session as its owner sees it.</summary>
internal sealed record SessionRow
{
    public required Guid Id { get; init; }

    public required string UserAgent { get; init; }

    public required string Network { get; init; }

    public required string[] Methods { get; init; }

    public required DateTimeOffset AuthTime { get; init; }

    public required DateTimeOffset LastUseTime { get; init; }

    public required DateTimeOffset ExpireTime { get; init; }
}

/// <summary>A session to be made.</summary>
internal sealed record NewSession
{
    public required Guid Id { get; init; }

    public required Bytea SecretHash { get; init; }

    public required Bytea FedCmHash { get; init; }

    public required string Did { get; init; }

    public required string[] Methods { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required DateTimeOffset ExpireTime { get; init; }

    public required string UserAgent { get; init; }

    public required string Network { get; init; }
}
