using Vibe.Server.Auth.Accounts;

namespace Vibe.Server.Auth.OAuth;

/// <summary>
/// A person's way from an app's request to its code: through sign-in and consent if they are needed. Each step is a request of
/// its own, served by any node.
/// </summary>
internal sealed class AuthorizationFlow(
    Clients clients, AuthorizationParameters checks, AuthorizationRequests requests, Sessions sessions, Grants grants, CodeIssuer codes,
    TimeProvider time)
{
    /// <summary>Takes up a request.</summary>
    /// <returns>Its id.</returns>
    /// <exception cref="OAuthError">There is nobody to answer to: the person is told.</exception>
    /// <exception cref="RedirectError">The app is told.</exception>
    public async Task<Guid> StartAsync(Parameters parameters, CancellationToken cancellationToken)
    {
        var client = await clients.FindAsync(parameters.Require("client_id"), cancellationToken)
            ?? throw OAuthError.InvalidRequest("There is no app with this client_id.");

        // What was pushed is all that counts (RFC 9126 section 4).
        if (parameters["request_uri"] is { } uri && uri.StartsWith(AuthorizationRequests.UriPrefix, StringComparison.Ordinal))
        {
            return await requests.TakePushedAsync(client.Did, uri, cancellationToken)
                ?? throw new OAuthError("invalid_request_uri", "The pushed request is not there, was used, or is another app's.");
        }

        return await requests.CreateAsync(checks.Read(client, parameters, isPushed: false), cancellationToken);
    }

    /// <summary>Goes as far as it gets without the person, and sends the browser on.</summary>
    /// <exception cref="OAuthError">The request is over, or another browser's.</exception>
    public async Task ContinueAsync(HttpContext http, Guid id, CancellationToken cancellationToken)
    {
        var pending = await requests.EnterAsync(id, BrowserBinding.Ensure(http), cancellationToken)
            ?? throw OAuthError.InvalidRequest("This sign-in is over, or was begun in another browser. Go back to the app and start again.");
        var request = pending.Request;
        var session = await sessions.FindAsync(http, cancellationToken);
        if (pending.DecidedBy is not null)
        {
            await FinishAsync(http, pending, session, cancellationToken);
        }
        else if (session is null || MustSignIn(pending, session))
        {
            await AskOrFailAsync(http, pending, "/sign-in", "login_required", "Nobody is signed in, or not lately enough.", cancellationToken);
        }
        else if (request.ExpectedDid is { } expected && session.Did != expected)
        {
            // Who has just signed in is somebody else than the app means: asking again would go round in circles.
            var isFresh = session.AuthTime >= pending.CreateTime;
            await AskOrFailAsync(
                http, pending, isFresh ? null : "/sign-in", "login_required", "Somebody else is signed in.", cancellationToken);
        }
        else if (await grants.FindAsync(session.Did, request.Client, cancellationToken) is not { } grant
            || request.Scopes.Except(grant.Scopes).Any() || request.AsksAnyway)
        {
            await AskOrFailAsync(http, pending, "/consent", "consent_required", "The person has to be asked.", cancellationToken);
        }
        else
        {
            await IssueAsync(http, pending, session, grant, request.Scopes, cancellationToken);
        }
    }

    /// <summary>Whether the session is not enough for what the app asks.</summary>
    public bool MustSignIn(PendingRequest pending, Session session) =>
        session.AuthTime < pending.CreateTime
        && (pending.Request.Prompt.Contains("login")
            || (pending.Request.MaxAge is { } seconds && session.AuthTime.AddSeconds(seconds) < time.GetUtcNow()));

    private async Task AskOrFailAsync(
        HttpContext http, PendingRequest pending, string? page, string error, string description, CancellationToken cancellationToken)
    {
        if (page is null || pending.Request.Prompt.Contains("none"))
        {
            await requests.EndAsync(pending.Id, cancellationToken);
            await AuthorizationResponse.WriteErrorAsync(http, pending.Request, new OAuthError(error, description));
            return;
        }

        OAuthAnswers.Protect(http);
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = $"{page}?request={pending.Id}";
    }

    private async Task FinishAsync(HttpContext http, PendingRequest pending, Session? session, CancellationToken cancellationToken)
    {
        if (session?.Did != pending.DecidedBy)
        {
            throw OAuthError.InvalidRequest("Somebody else has signed in since. Go back to the app and start again.");
        }

        var grant = await grants.FindAsync(session!.Did, pending.Request.Client, cancellationToken);
        if (pending.Accepted is null || grant is null)
        {
            await requests.EndAsync(pending.Id, cancellationToken);
            await AuthorizationResponse.WriteErrorAsync(http, pending.Request, OAuthError.AccessDenied());
            return;
        }

        await IssueAsync(http, pending, session, grant, pending.Accepted, cancellationToken);
    }

    private async Task IssueAsync(
        HttpContext http, PendingRequest pending, Session session, Grant grant, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        if (await clients.FindAsync(pending.Request.Client, cancellationToken) is not { IsDisabled: false })
        {
            throw OAuthError.InvalidRequest("The app has been stopped.");
        }

        if (!await requests.EndAsync(pending.Id, cancellationToken))
        {
            throw OAuthError.InvalidRequest("This sign-in has been answered already.");
        }

        var code = await codes.IssueAsync(CodeRequest.Of(pending.Request, session, grant, scopes), cancellationToken);
        await AuthorizationResponse.WriteCodeAsync(http, pending.Request, code);
    }
}
