using Microsoft.AspNetCore.WebUtilities;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.OAuth;

/// <summary>
/// Signing out from an app (OpenID Connect RP-Initiated Logout 1.0). Who says with an ID token whom they mean is followed;
/// anybody else could send a person here, so that the person is asked.
/// </summary>
internal static class LogoutEndpoints
{
    // Names the form that the person themself pressed the button of.
    private const string Confirmed = "confirmed";

    /// <summary>Maps it.</summary>
    public static void MapLogoutEndpoints(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapMethods("/oauth/logout", [HttpMethods.Get, HttpMethods.Post], RunAsync).RequireCors(OAuthCors.NonePolicyName);

    private static async Task RunAsync(HttpContext http)
    {
        try
        {
            var parameters = HttpMethods.IsPost(http.Request.Method)
                ? await Parameters.OfFormAsync(http.Request, http.RequestAborted)
                : Parameters.OfQuery(http.Request);
            await SignOutAsync(http, parameters, http.RequestAborted);
        }
        catch (OAuthError error)
        {
            await HtmlPage.WriteAsync(http, StatusCodes.Status400BadRequest, "Signing out did not work", $"<p>{HtmlPage.Encode(error.Message)}</p>");
        }
    }

    private static async Task SignOutAsync(HttpContext http, Parameters parameters, CancellationToken cancellationToken)
    {
        var services = http.RequestServices;
        var options = services.GetRequiredService<AuthOptions>();
        var hint = parameters["id_token_hint"] is { } token
            ? IdTokenHint.Read(token, services.GetRequiredService<SigningKeys>(), options)
                ?? throw OAuthError.InvalidRequest("id_token_hint is no ID token of this server.")
            : null;
        if (hint is not null && parameters["client_id"] is { } named && named != hint.Client)
        {
            throw OAuthError.InvalidRequest("id_token_hint was made for another app.");
        }

        var client = (hint?.Client ?? parameters["client_id"]) is { } id
            ? await services.GetRequiredService<Clients>().FindAsync(id, cancellationToken) ?? throw OAuthError.InvalidRequest("There is no such app.")
            : null;
        var back = parameters["post_logout_redirect_uri"];
        if (back is not null && !(client?.Manifest.PostLogoutRedirectUris.Contains(back) ?? false))
        {
            throw OAuthError.InvalidRequest("The app has not registered this post_logout_redirect_uri.");
        }

        var sessions = services.GetRequiredService<Sessions>();
        var session = await sessions.FindAsync(http, cancellationToken);
        var isOwnForm = HttpMethods.IsPost(http.Request.Method) && http.Request.Headers.Origin == options.Origin && parameters[Confirmed] is not null;
        if (session is not null && session.Did != hint?.Did && !isOwnForm)
        {
            await AskAsync(http, session, client, parameters);
            return;
        }

        if (session is not null)
        {
            await sessions.SignOutAsync(http, cancellationToken);
        }

        await LeaveAsync(http, back, parameters["state"]);
    }

    private static Task AskAsync(HttpContext http, Session session, Client? client, Parameters parameters)
    {
        var kept = string.Concat(((string[])["client_id", "post_logout_redirect_uri", "state"]).Where(name => parameters[name] is not null)
            .Select(name => $"<input type=\"hidden\" name=\"{name}\" value=\"{HtmlPage.Encode(parameters[name]!)}\">"));
        var from = client is null ? "" : $"<p>{HtmlPage.Encode(client.Manifest.DisplayName)} ({HtmlPage.Encode(client.Host)}) would like you to sign out of Vibe.</p>";
        var target = parameters["post_logout_redirect_uri"] is { } back ? $"'self' {AuthorizationResponse.SourceOf(back)}" : "'self'";
        return HtmlPage.WriteAsync(
            http, StatusCodes.Status200OK, $"Sign out {session.Handle}?",
            $"{from}<form method=\"post\" action=\"/oauth/logout\">{kept}<button name=\"{Confirmed}\" value=\"yes\">Sign out</button></form>", target);
    }

    private static Task LeaveAsync(HttpContext http, string? back, string? state)
    {
        if (back is null)
        {
            return HtmlPage.WriteAsync(http, StatusCodes.Status200OK, "You are signed out", "<p>You can close this page.</p>");
        }

        OAuthAnswers.Protect(http);
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = state is null ? back : QueryHelpers.AddQueryString(back, "state", state);
        return Task.CompletedTask;
    }
}
