using System.Text.Json.Nodes;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Auth.FedCm;

/// <summary>
/// Signing in by the browser's own dialog (Federated Credential Management, W3C). The browser, not the page of the app, calls
/// these; it says so in a header that no script can set, and it sends the one cookie that is good for nothing else.
/// </summary>
internal static class FedCmEndpoints
{
    /// <summary>Maps them.</summary>
    public static void MapFedCm(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/.well-known/web-identity", static http => RunAsync(http, _ => DescribeAsync(http, Providers)));
        endpoints.MapGet("/fedcm/config.json", static http => RunAsync(http, _ => DescribeAsync(http, Config)));
        endpoints.MapGet("/fedcm/accounts", static http => RunAsync(http, cancellationToken => AccountsAsync(http, cancellationToken)));
        endpoints.MapGet("/fedcm/client", static http => RunAsync(http, cancellationToken => ClientAsync(http, cancellationToken)))
            .RequireCors(OAuthCors.NonePolicyName);
        endpoints.MapPost("/fedcm/assertion", static http => RunAsync(http, cancellationToken => AssertAsync(http, cancellationToken)))
            .RequireCors(OAuthCors.NonePolicyName);
        endpoints.MapPost("/fedcm/disconnect", static http => RunAsync(http, cancellationToken => DisconnectAsync(http, cancellationToken)))
            .RequireCors(OAuthCors.NonePolicyName);
    }

    private static JsonObject Providers(string issuer) => new()
    {
        ["provider_urls"] = new JsonArray($"{issuer}/fedcm/config.json"),
        ["accounts_endpoint"] = $"{issuer}/fedcm/accounts",
        ["login_url"] = $"{issuer}/sign-in?fedcm",
    };

    private static JsonObject Config(string issuer) => new()
    {
        ["accounts_endpoint"] = $"{issuer}/fedcm/accounts",
        ["client_metadata_endpoint"] = $"{issuer}/fedcm/client",
        ["id_assertion_endpoint"] = $"{issuer}/fedcm/assertion",
        ["disconnect_endpoint"] = $"{issuer}/fedcm/disconnect",
        ["login_url"] = $"{issuer}/sign-in?fedcm",
        ["modes"] = new JsonObject { ["active"] = new JsonObject { ["supports_use_other_account"] = true } },
        ["branding"] = new JsonObject { ["background_color"] = "#4338ca", ["color"] = "#ffffff" },
    };

    private static Task DescribeAsync(HttpContext http, Func<string, JsonObject> describe) =>
        http.Response.WriteAsJsonAsync(describe(http.RequestServices.GetRequiredService<AuthOptions>().Issuer), http.RequestAborted);

    // Which app asks is not said here, and nothing is logged: looking at a page must not tell anybody where one is.
    private static async Task AccountsAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var session = await RequireSessionAsync(http, cancellationToken);
        var grants = await http.RequestServices.GetRequiredService<Grants>().ListAsync(session.Did, cancellationToken);
        await OAuthAnswers.WriteAsync(http, new JsonObject
        {
            ["accounts"] = new JsonArray(new JsonObject
            {
                ["id"] = session.Did,
                ["name"] = session.DisplayName.Length > 0 ? session.DisplayName : session.Handle,
                ["username"] = session.Handle,
                ["approved_clients"] = new JsonArray([.. grants.Select(static grant => (JsonNode)grant.App)]),
            }),
        });
    }

    private static async Task ClientAsync(HttpContext http, CancellationToken cancellationToken)
    {
        RequireBrowser(http);
        var client = await RequireClientAsync(http, Parameters.OfQuery(http.Request), cancellationToken);
        var about = new JsonObject();
        if (client.Manifest.PolicyUri.Length > 0)
        {
            about["privacy_policy_url"] = client.Manifest.PolicyUri;
        }

        if (client.Manifest.TermsUri.Length > 0)
        {
            about["terms_of_service_url"] = client.Manifest.TermsUri;
        }

        await OAuthAnswers.WriteAsync(http, about);
    }

    private static async Task AssertAsync(HttpContext http, CancellationToken cancellationToken)
    {
        RequireBrowser(http);
        var form = await Parameters.OfFormAsync(http.Request, cancellationToken);
        var client = await RequireClientAsync(http, form, cancellationToken);
        var session = await RequireSessionAsync(http, cancellationToken);
        if (form.Require("account_id") != session.Did)
        {
            throw OAuthError.InvalidRequest("Somebody else is signed in.");
        }

        var answer = await http.RequestServices.GetRequiredService<FedCmFlow>().AnswerAsync(
            client, session, form["params"], isDisclosed: form["disclosure_text_shown"] == "true", cancellationToken);
        await OAuthAnswers.WriteAsync(http, answer.Code is { } code
            ? new JsonObject { ["token"] = code }
            : new JsonObject { ["continue_on"] = answer.Page });
    }

    private static async Task DisconnectAsync(HttpContext http, CancellationToken cancellationToken)
    {
        RequireBrowser(http);
        var client = await RequireClientAsync(http, await Parameters.OfFormAsync(http.Request, cancellationToken), cancellationToken);
        var session = await RequireSessionAsync(http, cancellationToken);
        await http.RequestServices.GetRequiredService<FedCmFlow>().DisconnectAsync(client, session, cancellationToken);
        await OAuthAnswers.WriteAsync(http, new JsonObject { ["account_id"] = session.Did });
    }

    private static void RequireBrowser(HttpContext http)
    {
        if (http.Request.Headers["Sec-Fetch-Dest"].ToString() != "webidentity")
        {
            throw OAuthError.InvalidRequest("Only the browser itself calls this.");
        }
    }

    private static async Task<Session> RequireSessionAsync(HttpContext http, CancellationToken cancellationToken)
    {
        RequireBrowser(http);
        return await http.RequestServices.GetRequiredService<Sessions>().FindFedCmAsync(http, cancellationToken)
            ?? throw new OAuthError("login_required", "Nobody is signed in.", StatusCodes.Status401Unauthorized);
    }

    // The origin takes the place of the redirect URI: it is what the app has registered, and the browser vouches for it.
    private static async Task<Client> RequireClientAsync(HttpContext http, Parameters parameters, CancellationToken cancellationToken)
    {
        var origin = http.Request.Headers.Origin.ToString();
        var client = await http.RequestServices.GetRequiredService<Clients>().FindAsync(parameters.Require("client_id"), cancellationToken);
        if (client is not { IsDisabled: false } || !client.Manifest.Origins.Contains(origin))
        {
            throw OAuthError.UnauthorizedClient("The app is not known here, or this is not one of its origins.");
        }

        http.Response.Headers.AccessControlAllowOrigin = origin;
        http.Response.Headers.AccessControlAllowCredentials = "true";
        http.Response.Headers.Vary = "Origin";
        return client;
    }

    // The shape of errors is FedCM's own: the browser shows its code in the dialog.
    private static async Task RunAsync(HttpContext http, Func<CancellationToken, Task> endpoint)
    {
        OAuthAnswers.Protect(http);
        try
        {
            await endpoint(http.RequestAborted);
        }
        catch (OAuthError error)
        {
            await OAuthAnswers.WriteAsync(http, new JsonObject { ["error"] = new JsonObject { ["code"] = error.Code } }, error.Status);
        }
        catch (DatabaseException failure) when (Failure.Translate(failure) is not null)
        {
            var busy = new JsonObject { ["error"] = new JsonObject { ["code"] = "temporarily_unavailable" } };
            await OAuthAnswers.WriteAsync(http, busy, StatusCodes.Status503ServiceUnavailable);
        }
    }
}
