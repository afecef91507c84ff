using System.Text.Json;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.OAuth;

/// <summary>A request for authorization on its way through the hosted pages.</summary>
internal sealed record PendingRequest
{
    /// <summary>Its id, which stands in addresses of pages and is worth nothing without the browser's cookie.</summary>
    public required Guid Id { get; init; }

    /// <summary>What the app asked for.</summary>
    public required AuthorizationRequest Request { get; init; }

    /// <summary>When it came.</summary>
    public required DateTimeOffset CreateTime { get; init; }

    /// <summary>Who answered it; null as long as nobody has.</summary>
    public string? DecidedBy { get; init; }

    /// <summary>What they let through; null when they refused.</summary>
    public IReadOnlyList<string>? Accepted { get; init; }
}

/// <summary>The table of requests for authorization: pushed ones, and those that people are looking at. Any node goes on with any.</summary>
internal sealed class AuthorizationRequests(Database database, TimeProvider time)
{
    /// <summary>How long a pushed request waits for the browser.</summary>
    public static readonly TimeSpan PushedLife = TimeSpan.FromSeconds(90);

    /// <summary>How long a person may take.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(30);

    /// <summary>What every <c>request_uri</c> of ours begins with (RFC 9126 section 2.2).</summary>
    public const string UriPrefix = "urn:ietf:params:oauth:request_uri:";

    /// <summary>Keeps a pushed request and names it.</summary>
    public async Task<string> PushAsync(AuthorizationRequest request, CancellationToken cancellationToken)
    {
        var (secret, now) = (Secret.New(), time.GetUtcNow());
        await database.Owner.ExecuteAsync(
            $"""
            insert into vibe.authorization_requests (id, app_did, pushed_hash, parameters, create_time, expire_time)
            values ({Guid.NewGuid()}, {request.Client}, {Secret.Hash(secret)}, {Json(request)}, {now}, {now + PushedLife})
            """,
            cancellationToken);
        return UriPrefix + secret;
    }

    /// <summary>Takes up a pushed request, once, and ties it to no browser yet; null when the app has none of that name.</summary>
    public Task<Guid?> TakePushedAsync(string app, string requestUri, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return database.Owner.WriteFirstAsync(
            $"""
            update vibe.authorization_requests set pushed_hash = null, create_time = {now}, expire_time = {now + Life}
            where pushed_hash = {Secret.Hash(requestUri[UriPrefix.Length..])} and app_did = {app} and expire_time > {now}
            returning id
            """,
            static row => (Guid?)row.GetGuid(0),
            cancellationToken);
    }

    /// <summary>Keeps a request that came by the browser.</summary>
    public async Task<Guid> CreateAsync(AuthorizationRequest request, CancellationToken cancellationToken)
    {
        var (id, now) = (Guid.NewGuid(), time.GetUtcNow());
        await database.Owner.ExecuteAsync(
            $"""
            insert into vibe.authorization_requests (id, app_did, parameters, create_time, expire_time)
            values ({id}, {request.Client}, {Json(request)}, {now}, {now + Life})
            """,
            cancellationToken);
        return id;
    }

    /// <summary>Finds a request and ties it to the browser that comes with it first; null when it is over, or another browser's.</summary>
    public Task<PendingRequest?> EnterAsync(Guid id, Bytea browser, CancellationToken cancellationToken) => database.Owner.WriteFirstAsync(
        $"""
        update vibe.authorization_requests set browser_hash = {browser}
        where id = {id} and pushed_hash is null and (browser_hash is null or browser_hash = {browser}) and expire_time > {time.GetUtcNow()}
        returning id, parameters, create_time, decided_by, accepted
        """,
        Read,
        cancellationToken);

    /// <summary>The request of this browser; null when there is none that goes on.</summary>
    public Task<PendingRequest?> FindAsync(Guid id, Bytea browser, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"""
        select id, parameters, create_time, decided_by, accepted from vibe.authorization_requests
        where id = {id} and browser_hash = {browser} and expire_time > {time.GetUtcNow()}
        """,
        Read,
        cancellationToken);

    /// <summary>Notes a person's answer, once.</summary>
    /// <returns>Whether the request still waited for it.</returns>
    public async Task<bool> DecideAsync(
        Guid id, Bytea browser, string did, IReadOnlyList<string>? accepted, CancellationToken cancellationToken) =>
        await database.Owner.ExecuteAsync(
            $"""
            update vibe.authorization_requests set decided_by = {did}, accepted = {accepted}, decide_time = {time.GetUtcNow()}
            where id = {id} and browser_hash = {browser} and decide_time is null and expire_time > {time.GetUtcNow()}
            """,
            cancellationToken) == 1;

    /// <summary>Ends a request: it is answered once.</summary>
    /// <returns>Whether this call ended it.</returns>
    public async Task<bool> EndAsync(Guid id, CancellationToken cancellationToken) =>
        await database.Owner.ExecuteAsync($"delete from vibe.authorization_requests where id = {id}", cancellationToken) == 1;

    private static byte[] Json(AuthorizationRequest request) => JsonSerializer.SerializeToUtf8Bytes(request);

    private static PendingRequest Read(Row row) => new()
    {
        Id = row.GetGuid(0),
        Request = JsonSerializer.Deserialize<AuthorizationRequest>(row.GetJson(1).Span)!,
        CreateTime = row.GetTimestamp(2),
        DecidedBy = row.GetStringOrNull(3),
        Accepted = row.IsNull(4) ? null : row.GetTextArray(4),
    };
}
