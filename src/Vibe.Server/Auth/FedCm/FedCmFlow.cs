using System.Text.Json;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.OAuth;

namespace Vibe.Server.Auth.FedCm;

/// <summary>
/// What the browser gets for an account a person has picked in its dialog: a code like that of any other way in, or the page
/// where the person has to decide first.
/// </summary>
internal sealed class FedCmFlow(AuthorizationParameters checks, AuthorizationRequests requests, Grants grants, CodeIssuer codes, Audit audit)
{
    // What the browser's dialog itself says that the app will learn.
    private static readonly string[] Disclosed = [ScopeNames.OpenId, ScopeNames.Profile];

    /// <summary>Answers the browser.</summary>
    /// <param name="client">The app, whose origin has been checked.</param>
    /// <param name="session">Who has picked their account.</param>
    /// <param name="json">What the app passed along: the parameters of an authorization request without the redirect, as a JSON object of texts.</param>
    /// <param name="isDisclosed">Whether the dialog has told the person what the app will learn.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="OAuthError">The parameters are not good.</exception>
    public async Task<FedCmAnswer> AnswerAsync(Client client, Session session, string? json, bool isDisclosed, CancellationToken cancellationToken)
    {
        var request = checks.ReadForBrowser(client, ParametersOf(json));
        var grant = await grants.FindAsync(session.Did, client.Did, cancellationToken);
        string[] missing = [.. request.Scopes.Except(grant?.Scopes ?? [])];
        if (missing.Length > 0 && isDisclosed && missing.All(Disclosed.Contains))
        {
            grant = await grants.AllowAsync(session.Did, client.Did, missing, grant?.ExpireTime, cancellationToken);
            await audit.WriteAsync(
                new AuditEvent
                {
                    Type = "grant.allow", Did = session.Did, App = client.Did, Actor = session.Did,
                    Details = new Dictionary<string, string> { ["scopes"] = string.Join(' ', missing), ["by"] = "fedcm" },
                },
                cancellationToken);
            missing = [];
        }

        if (grant is null || missing.Length > 0 || request.AsksAnyway)
        {
            return new FedCmAnswer(null, $"/oauth/authorize?request={await requests.CreateAsync(request, cancellationToken)}");
        }

        var code = await codes.IssueAsync(CodeRequest.Of(request, session, grant, request.Scopes), cancellationToken);
        return new FedCmAnswer(code, null);
    }

    /// <summary>Takes back what the person allowed the app.</summary>
    public async Task DisconnectAsync(Client client, Session session, CancellationToken cancellationToken)
    {
        if (await grants.RevokeAsync(session.Did, client.Did, cancellationToken))
        {
            await audit.WriteAsync(
                new AuditEvent { Type = "grant.revoke", Did = session.Did, App = client.Did, Actor = session.Did, Details = new Dictionary<string, string> { ["by"] = "fedcm" } },
                cancellationToken);
        }
    }

    private static Parameters ParametersOf(string? json)
    {
        try
        {
            using var document = JsonDocument.Parse(json ?? "", new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });
            return new Parameters(document.RootElement.EnumerateObject().Select(static property => KeyValuePair.Create(property.Name, property.Value.GetString())));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw OAuthError.InvalidRequest("params is no JSON object of texts.");
        }
    }
}

/// <summary>One of the two.</summary>
/// <param name="Code">An authorization code, to be redeemed without a redirect URI.</param>
/// <param name="Page">Where the person has to decide first.</param>
internal sealed record FedCmAnswer(string? Code, string? Page);
