using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Accounts;

namespace Vibe.Server.Auth.OAuth;

/// <summary>What a code will be good for.</summary>
internal sealed record CodeRequest
{
    /// <summary>The app's DID; only it can redeem the code.</summary>
    public required string App { get; init; }

    /// <summary>Whose sign-in it is.</summary>
    public required string Did { get; init; }

    /// <summary>The grant that allows it.</summary>
    public required Guid Grant { get; init; }

    /// <summary>The browser's session; ending it ends the tokens.</summary>
    public Guid? Session { get; init; }

    /// <summary>Where the code goes, to be repeated when it is redeemed; null when the browser itself hands it over (FedCM).</summary>
    public string? RedirectUri { get; init; }

    /// <summary>PKCE (RFC 7636), S256: the base64url of the verifier's SHA-256. There is no code without.</summary>
    public required string CodeChallenge { get; init; }

    /// <summary>As asked for and granted.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>Returned in the ID token.</summary>
    public string? Nonce { get; init; }

    /// <summary>The key whose holder alone may redeem the code: <c>dpop_jkt</c> (RFC 9449 section 10).</summary>
    public string? KeyThumbprint { get; init; }

    /// <summary>When the person last proved who they are.</summary>
    public required DateTimeOffset AuthTime { get; init; }

    /// <summary>How (RFC 8176).</summary>
    public required IReadOnlyList<string> Methods { get; init; }

    /// <summary>What a request comes to, once the person is known and the scopes are allowed.</summary>
    public static CodeRequest Of(AuthorizationRequest request, Session session, Grant grant, IReadOnlyList<string> scopes) => new()
    {
        App = request.Client,
        Did = session.Did,
        Grant = grant.Id,
        Session = session.Id,
        RedirectUri = request.RedirectUri,
        CodeChallenge = request.CodeChallenge,
        Scopes = scopes,
        Nonce = request.Nonce,
        KeyThumbprint = request.KeyThumbprint,
        AuthTime = session.AuthTime,
        Methods = session.Methods,
    };
}

/// <summary>Makes authorization codes: one way for the redirect, the hosted pages and FedCM.</summary>
internal sealed class CodeIssuer(Database database, TimeProvider time)
{
    /// <summary>How long a code waits to be redeemed.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(60);

    /// <summary>Makes a code for one use.</summary>
    public async Task<string> IssueAsync(CodeRequest request, CancellationToken cancellationToken)
    {
        var code = Secret.New();
        var now = time.GetUtcNow();
        await database.Owner.ExecuteAsync(
            $"""
            insert into vibe.authorization_codes (code_hash, family_id, app_did, did, grant_id, session_id, redirect_uri, code_challenge,
              scopes, nonce, key_thumbprint, auth_time, methods, create_time, expire_time)
            values ({Secret.Hash(code)}, {Guid.CreateVersion7(now)}, {request.App}, {request.Did}, {request.Grant}, {request.Session},
              {request.RedirectUri}, {request.CodeChallenge}, {request.Scopes}, {request.Nonce}, {request.KeyThumbprint},
              {request.AuthTime}, {request.Methods}, {now}, {now + Life})
            """,
            cancellationToken);
        return code;
    }
}
