namespace Vibe.Server.Auth.OAuth;

/// <summary>A request for authorization (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1) that has been checked.</summary>
internal sealed record AuthorizationRequest
{
    /// <summary>The app's DID.</summary>
    public required string Client { get; init; }

    /// <summary>Where the answer goes: one of the app's own addresses; null when the browser itself takes it (FedCM).</summary>
    public required string? RedirectUri { get; init; }

    /// <summary>How it gets there: <c>query</c>, <c>form_post</c> or <c>fedcm</c>.</summary>
    public required string ResponseMode { get; init; }

    /// <summary>Returned with the answer.</summary>
    public string? State { get; init; }

    /// <summary>PKCE, S256.</summary>
    public required string CodeChallenge { get; init; }

    /// <summary>By name, of the app's manifest.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>Returned in the ID token.</summary>
    public string? Nonce { get; init; }

    /// <summary><c>none</c>, <c>login</c>, <c>consent</c>, <c>select_account</c>.</summary>
    public IReadOnlyList<string> Prompt { get; init; } = [];

    /// <summary>How long ago the person may have proved who they are, in seconds.</summary>
    public long? MaxAge { get; init; }

    /// <summary>Whom the app expects: shown on the sign-in page, proves nothing.</summary>
    public string? LoginHint { get; init; }

    /// <summary>Whom an ID token that the app sent along was made for: nobody else will do.</summary>
    public string? ExpectedDid { get; init; }

    /// <summary>Languages for the pages, as the app asks.</summary>
    public string? UiLocales { get; init; }

    /// <summary>The key whose holder alone may redeem the code (RFC 9449 section 10).</summary>
    public string? KeyThumbprint { get; init; }

    /// <summary>Whether the person is asked for consent even if there is nothing new: also how an account is chosen.</summary>
    public bool AsksAnyway => Prompt.Contains("consent") || Prompt.Contains("select_account");
}

/// <summary>A failure that can be told the app, at an address that is its own.</summary>
internal sealed class RedirectError(OAuthError error, string? redirectUri, string responseMode, string? state) : Exception(error.Message)
{
    /// <summary>What failed.</summary>
    public OAuthError Error => error;

    /// <summary>Where to say so.</summary>
    public string? RedirectUri => redirectUri;

    /// <summary>How.</summary>
    public string ResponseMode => responseMode;

    /// <summary>Returned with it.</summary>
    public string? State => state;
}
