namespace Vibe.Server.Auth.Tokens;

/// <summary>The claims of an access token, RFC 9068 section 2.2.</summary>
internal sealed record AccessToken
{
    private const string VisitorSuffix = "#visitor";

    /// <summary><c>sub</c>: the DID the caller acts as.</summary>
    public required string Subject { get; init; }

    /// <summary><c>client_id</c>: the DID of the app; null for an operator's token without one.</summary>
    public string? Client { get; init; }

    /// <summary><c>scope</c>: space-separated.</summary>
    public required string Scope { get; init; }

    /// <summary><c>sid</c>: the grant the token belongs to; null for an operator's token.</summary>
    public string? Grant { get; init; }

    /// <summary><c>cnf.jkt</c>: the thumbprint of the key it is bound to (RFC 9449 section 6); null for a bearer token.</summary>
    public string? KeyThumbprint { get; init; }

    /// <summary><c>iat</c>, in whole seconds; <see cref="TokenCodec.Sign"/> sets it itself.</summary>
    public DateTimeOffset IssueTime { get; init; }

    /// <summary><c>exp</c>, in whole seconds.</summary>
    public required DateTimeOffset ExpireTime { get; init; }

    /// <summary>
    /// Whether nobody is signed in: the token only says which app's pages ask. Its subject is neither a person nor the app, so
    /// that no verifier takes it for one of them.
    /// </summary>
    public bool IsVisitor => Client is not null && Subject == VisitorOf(Client);

    /// <summary>The subject of an app's signed-out visitors.</summary>
    public static string VisitorOf(string client) => client + VisitorSuffix;
}
