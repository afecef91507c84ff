namespace Vibe.Server.Auth;

/// <summary>How this server names itself and its accounts.</summary>
internal sealed record AuthOptions
{
    /// <summary>
    /// The issuer and audience of access tokens, and the origin of DIDs: the public URL of the server without a slash at
    /// the end, for example <c>https://vibe.example</c>.
    /// </summary>
    public required string Issuer { get; init; }

    /// <summary>The life of an access token of the OAuth provider. Default: 10 minutes.</summary>
    public TimeSpan AccessTokenLife { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The longest life of any access token: one that an operator made by hand.</summary>
    public static readonly TimeSpan LongestTokenLife = TimeSpan.FromDays(1);

    /// <summary>The origin of the hosted pages: what a browser sends as <c>Origin</c> from there.</summary>
    public string Origin => new Uri(Issuer).GetLeftPart(UriPartial.Authority);

    /// <summary>The DID of the server itself.</summary>
    public string HostDid => $"did:web:{new Uri(Issuer).Authority.Replace(":", "%3A", StringComparison.Ordinal)}";

    /// <summary>Whether a DID has the form of those of this server's accounts.</summary>
    public bool IsOurs(string did) =>
        did.StartsWith($"{HostDid}:users:", StringComparison.Ordinal) || did.StartsWith($"{HostDid}:apps:", StringComparison.Ordinal);

    /// <summary>The DID of an account of this server: did:web with a path, the port percent-encoded.</summary>
    public string DidOf(string kind, Guid id) => $"{HostDid}:{kind}:{id:N}";
}
