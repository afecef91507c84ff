namespace Vibe.Server.Auth.OAuth;

/// <summary>One sign-in of a person to an app, or of an app as itself: what its tokens are made of.</summary>
internal sealed record TokenFamily
{
    /// <summary>Its id: the claim <c>sid</c>.</summary>
    public required Guid Id { get; init; }

    /// <summary>Who the tokens are for.</summary>
    public required string Did { get; init; }

    /// <summary>What is granted at this moment, by name.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>The key its tokens are bound to (RFC 9449); null for bearer tokens.</summary>
    public string? KeyThumbprint { get; init; }

    /// <summary>When the person last proved who they are; null for an app as itself.</summary>
    public DateTimeOffset? AuthTime { get; init; }

    /// <summary>How (RFC 8176).</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>When the consent it stands on ends; null for never.</summary>
    public DateTimeOffset? GrantExpireTime { get; init; }
}

/// <summary>The answer of the token endpoint (RFC 6749 section 5.1).</summary>
internal sealed record IssuedTokens
{
    /// <summary>The access token, RFC 9068.</summary>
    public required string AccessToken { get; init; }

    /// <summary><c>Bearer</c> or <c>DPoP</c>.</summary>
    public required string TokenType { get; init; }

    /// <summary>Its life.</summary>
    public required TimeSpan Life { get; init; }

    /// <summary>What is granted, by name.</summary>
    public required string Scope { get; init; }

    /// <summary>For one use; null without offline_access.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>Null without openid.</summary>
    public string? IdToken { get; init; }
}
