using System.Text.Json.Nodes;
using Vibe.Postgres.Sessions;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Where browsers come with an app's request (RFC 6749 section 3.1), and where apps push one beforehand (RFC 9126).</summary>
internal static class AuthorizeEndpoints
{
    /// <summary>Maps them.</summary>
    public static void MapAuthorizeEndpoints(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/oauth/authorize", static http => RunAsync(http, cancellationToken => GetAsync(http, cancellationToken)))
            .RequireCors(OAuthCors.NonePolicyName);
        endpoints.MapPost("/oauth/authorize", static http => RunAsync(http, cancellationToken => PostAsync(http, cancellationToken)))
            .RequireCors(OAuthCors.NonePolicyName);
        endpoints.MapPost("/oauth/par", static http => OAuthAnswers.RunAsync(http, cancellationToken => PushAsync(http, cancellationToken)))
            .RequireCors(OAuthCors.PolicyName);
    }

    private static async Task GetAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var flow = http.RequestServices.GetRequiredService<AuthorizationFlow>();
        var parameters = Parameters.OfQuery(http.Request);
        var id = parameters["request"] is { } known && Guid.TryParseExact(known, "D", out var given)
            ? given
            : await flow.StartAsync(parameters, cancellationToken);
        await flow.ContinueAsync(http, id, cancellationToken);
    }

    // A form of another site comes without the cookies: the browser brings them when it follows.
    private static async Task PostAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var parameters = await Parameters.OfFormAsync(http.Request, cancellationToken);
        var id = await http.RequestServices.GetRequiredService<AuthorizationFlow>().StartAsync(parameters, cancellationToken);
        OAuthAnswers.Protect(http);
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = $"/oauth/authorize?request={id}";
    }

    private static async Task PushAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var services = http.RequestServices;
        var parameters = await Parameters.OfFormAsync(http.Request, cancellationToken);
        var authorization = http.Request.Headers.Authorization is [{ } header] ? header : null;
        var client = await services.GetRequiredService<ClientAuthentication>().AuthenticateAsync(authorization, parameters, cancellationToken);
        var request = Read(services.GetRequiredService<AuthorizationParameters>(), client, parameters);

        // A proof sent along binds the code to its key (RFC 9449 section 10.1).
        if (OAuthAnswers.ReadProof(http) is { } key)
        {
            request = request.KeyThumbprint is null || request.KeyThumbprint == key
                ? request with { KeyThumbprint = key }
                : throw OAuthError.InvalidProof("The proof is of another key than dpop_jkt.");
        }

        await OAuthAnswers.WriteAsync(
            http,
            new JsonObject
            {
                ["request_uri"] = await services.GetRequiredService<AuthorizationRequests>().PushAsync(request, cancellationToken),
                ["expires_in"] = (long)AuthorizationRequests.PushedLife.TotalSeconds,
            },
            StatusCodes.Status201Created);
    }

    private static AuthorizationRequest Read(AuthorizationParameters checks, Client client, Parameters parameters)
    {
        try
        {
            return checks.Read(client, parameters, isPushed: true);
        }
        catch (RedirectError failure)
        {
            // Nothing is on its way to the app yet: who pushed is told.
            throw failure.Error;
        }
    }

    // A person is looking: what cannot be told the app is told them, and nothing is sent anywhere.
    private static async Task RunAsync(HttpContext http, Func<CancellationToken, Task> endpoint)
    {
        try
        {
            OAuthAnswers.CheckLimit(http);
            await endpoint(http.RequestAborted);
        }
        catch (RedirectError failure)
        {
            await AuthorizationResponse.WriteErrorAsync(http, failure);
        }
        catch (OAuthError error)
        {
            await HtmlPage.WriteAsync(
                http, error.Status, "This sign-in cannot go on",
                $"<p>{HtmlPage.Encode(error.Message)}</p><p>Error: <code>{HtmlPage.Encode(error.Code)}</code></p>");
        }
        catch (DatabaseException failure) when (Failure.Translate(failure) is not null)
        {
            await HtmlPage.WriteAsync(
                http, StatusCodes.Status503ServiceUnavailable, "The server is busy", "<p>Please try again in a moment.</p>");
        }
    }
}
