using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Auth.Accounts;

/// <summary>
/// Who is signed in in a browser. The cookie holds 256 random bits, the database their hash; a session ends when it is not used,
/// when it is old, and when it is revoked.
/// </summary>
internal sealed class Sessions(SessionStore store, Revoker revoker, Audit audit, AccountOptions options, TimeProvider time)
{
    // Writing down every use would cost a write per request.
    private static readonly TimeSpan TouchInterval = TimeSpan.FromMinutes(5);

    private static readonly object Found = new();

    /// <summary>The session of the request, null when nobody is signed in. Asks the database once per request.</summary>
    public async Task<Session?> FindAsync(HttpContext http, CancellationToken cancellationToken)
    {
        if (http.Items.TryGetValue(Found, out var known))
        {
            return (Session?)known;
        }

        var session = http.Request.Cookies[SessionCookies.Session] is { Length: > 0 } secret
            ? await FindAsync($"s.secret_hash = {Secret.Hash(secret)}", http, cancellationToken)
            : null;
        http.Items[Found] = session;
        return session;
    }

    /// <summary>The session of a FedCM request, by the cookie that only those carry. The caller checks Sec-Fetch-Dest.</summary>
    public async Task<Session?> FindFedCmAsync(HttpContext http, CancellationToken cancellationToken) =>
        http.Request.Cookies[SessionCookies.FedCm] is { Length: > 0 } secret
            ? await FindAsync($"s.fedcm_hash = {Secret.Hash(secret)}", http, cancellationToken)
            : null;

    /// <summary>The live session with this id, null when there is none.</summary>
    public async Task<Session?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        (await store.FindAsync($"s.id = {id}", time.GetUtcNow(), options.SessionIdle, cancellationToken))?.Session;

    /// <summary>The session of the request.</summary>
    /// <exception cref="Grpc.Core.RpcException">UNAUTHENTICATED, reason SIGN_IN_REQUIRED.</exception>
    public async Task<Session> RequireAsync(HttpContext http, CancellationToken cancellationToken) =>
        await FindAsync(http, cancellationToken) ?? throw AuthErrors.SignInRequired();

    /// <summary>The session of the request, of a person who proved who they are lately and not by mail alone.</summary>
    /// <exception cref="Grpc.Core.RpcException">UNAUTHENTICATED, reason SIGN_IN_REQUIRED.</exception>
    public async Task<Session> RequireFreshAsync(HttpContext http, CancellationToken cancellationToken) =>
        await RequireAsync(http, cancellationToken) is { } session && session.IsFresh(time.GetUtcNow()) ? session : throw AuthErrors.SignInRequired();

    /// <summary>
    /// Signs a person in, or in anew: always another id and secret, so that a cookie planted beforehand is worth nothing. A
    /// session of the same person in this browser is replaced and the apps it signed in to stay; somebody else's is ended.
    /// </summary>
    /// <param name="http">The browser.</param>
    /// <param name="did">Who has proved who they are.</param>
    /// <param name="methods">How: <see cref="AuthMethod"/>.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="Grpc.Core.RpcException">PERMISSION_DENIED, reason ACCOUNT_DISABLED.</exception>
    public async Task<Session> SignInAsync(HttpContext http, string did, string[] methods, CancellationToken cancellationToken)
    {
        var old = await FindAsync(http, cancellationToken);
        var (secret, fedCm, now) = (Secret.New(), Secret.New(), time.GetUtcNow());
        var network = NetworkPrefix.Of(http.Connection.RemoteIpAddress);
        var made = new NewSession
        {
            Id = Guid.CreateVersion7(now),
            SecretHash = Secret.Hash(secret),
            FedCmHash = Secret.Hash(fedCm),
            Did = did,
            Methods = methods,
            Time = now,
            ExpireTime = now + options.SessionLife,
            UserAgent = UserAgentWords.Of(http.Request.Headers.UserAgent.ToString()),
            Network = network,
        };
        var created = audit.ToStatement(new AuditEvent
        {
            Type = "session.create",
            Did = did,
            Actor = did,
            Network = network,
            Details = new Dictionary<string, string> { ["methods"] = string.Join(' ', methods), ["userAgent"] = made.UserAgent },
        });
        var session = await store.CreateAsync(made, old?.Did == did ? old.Id : null, created, cancellationToken) ?? throw AccountErrors.Disabled();
        if (old is not null && old.Did != did)
        {
            await RevokeAsync(old.Id, "another sign-in", cancellationToken);
        }

        AuthMeters.SignIns.Add(1, AuthMeters.Method(methods[0]));
        SessionCookies.Set(http, secret, fedCm, options.SessionLife);
        http.Items[Found] = session;
        return session;
    }

    /// <summary>Ends the session of the request, and what apps got through it.</summary>
    public async Task SignOutAsync(HttpContext http, CancellationToken cancellationToken)
    {
        if (await FindAsync(http, cancellationToken) is { } session)
        {
            await RevokeAsync(session.Id, "sign-out", cancellationToken);
            await audit.WriteAsync("session.end", session.Did, http, cancellationToken);
        }

        http.Items[Found] = null;
        SessionCookies.Clear(http);
    }

    /// <summary>Ends a session and what apps got through it: tokens and live streams too, here at once and elsewhere within a second.</summary>
    public async Task RevokeAsync(Guid id, string reason, CancellationToken cancellationToken)
    {
        foreach (var ended in await store.RevokeAsync(id, reason, time.GetUtcNow(), cancellationToken))
        {
            await revoker.RevokeAsync(Revocation.OfGrant(ended.ToString()), cancellationToken);
        }
    }

    private async Task<Session?> FindAsync(Sql condition, HttpContext http, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (await store.FindAsync(condition, now, options.SessionIdle, cancellationToken) is not { } found)
        {
            return null;
        }

        if (found.LastUseTime < now - TouchInterval)
        {
            await store.TouchAsync(found.Session.Id, now, NetworkPrefix.Of(http.Connection.RemoteIpAddress), cancellationToken);
        }

        return found.Session;
    }
}
