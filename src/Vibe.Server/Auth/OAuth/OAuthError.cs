namespace Vibe.Server.Auth.OAuth;

/// <summary>A failure in the words of OAuth (RFC 6749 section 5.2): a code for programs, and a sentence for who writes them.</summary>
internal sealed class OAuthError(string code, string description, int status = StatusCodes.Status400BadRequest) : Exception(description)
{
    /// <summary>The parameter <c>error</c>.</summary>
    public string Code => code;

    /// <summary>The status of an answer in JSON.</summary>
    public int Status => status;

    /// <summary>The request is malformed: a parameter is missing, twice there, or not understood.</summary>
    public static OAuthError InvalidRequest(string description) => new("invalid_request", description);

    /// <summary>The app did not prove who it is. What was wrong is not said.</summary>
    public static OAuthError InvalidClient() => new("invalid_client", "The client is not known here, or did not prove who it is.", StatusCodes.Status401Unauthorized);

    /// <summary>The code, refresh token or assertion is not good, whatever the reason.</summary>
    public static OAuthError InvalidGrant(string description = "What the tokens were asked for with is not valid, is used up, or belongs to another client.") =>
        new("invalid_grant", description);

    /// <summary>The app may not do this.</summary>
    public static OAuthError UnauthorizedClient(string description) => new("unauthorized_client", description);

    /// <summary>A scope is not known, or more than allowed.</summary>
    public static OAuthError InvalidScope(string description) => new("invalid_scope", description);

    /// <summary>RFC 9449 section 5.</summary>
    public static OAuthError InvalidProof(string description) => new("invalid_dpop_proof", description);

    /// <summary>RFC 6750 section 3.1.</summary>
    public static OAuthError InvalidToken() => new("invalid_token", "The access token is not valid here.", StatusCodes.Status401Unauthorized);

    /// <summary>The person said no.</summary>
    public static OAuthError AccessDenied(string description = "The person said no.") => new("access_denied", description);

    /// <summary>Too many attempts.</summary>
    public static OAuthError SlowDown(string description) => new("slow_down", description, StatusCodes.Status429TooManyRequests);
}
