using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.OAuth;

/// <summary>What the request for tokens shows beside its parameters.</summary>
/// <param name="KeyThumbprint">The key it proved to hold (RFC 9449); null for none.</param>
/// <param name="Network">Where it comes from.</param>
/// <param name="Origin">The page it comes from; null when it comes from none.</param>
internal sealed record TokenContext(string? KeyThumbprint, string Network, string? Origin);

/// <summary>
/// What tokens can be asked for with: one set of rules for the token endpoint and for AuthService. There is no password
/// grant: credentials are typed on the pages of Vibe only.
/// </summary>
internal sealed class TokenGrants(
    Codes codes, RefreshTokens refreshTokens, DeviceCodes devices, TokenFamilies families, TokenIssuer issuer, TokenCodec codec,
    Clients clients, Throttle throttle, TimeProvider time)
{
    /// <summary>The grant types, as discovery names them.</summary>
    public static readonly IReadOnlyList<string> Types = ["authorization_code", "refresh_token", "client_credentials", DeviceType, VisitorType];

    /// <summary>RFC 8628 section 3.4.</summary>
    public const string DeviceType = "urn:ietf:params:oauth:grant-type:device_code";

    /// <summary>
    /// Our own: the pages of an app, for somebody who is not signed in. The token reads what is public in the app's
    /// <c>visitor_collections</c>, in the app's name, for five minutes.
    /// </summary>
    public const string VisitorType = "urn:vibe:params:oauth:grant-type:visitor";

    private static readonly TimeSpan VisitorLife = TimeSpan.FromMinutes(5);

    // For all visitors behind one address: a busy office has less than one new tab a second.
    private static readonly ThrottleRule VisitorRule = new("visitor", Burst: 60, Refill: TimeSpan.FromSeconds(1));

    /// <summary>Issues tokens.</summary>
    /// <param name="client">Who asks; has proved it, if it can.</param>
    /// <param name="parameters">The request.</param>
    /// <param name="context">What else it shows.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="OAuthError">In the words of RFC 6749 section 5.2, RFC 8628 section 3.5 and RFC 9449 section 5.</exception>
    public Task<IssuedTokens> IssueAsync(Client client, Parameters parameters, TokenContext context, CancellationToken cancellationToken)
    {
        var type = parameters.Require("grant_type");
        // A visitor's token is given to whoever asks: there is nothing to steal.
        if (client.Manifest.DpopBoundAccessTokens && context.KeyThumbprint is null && type != VisitorType)
        {
            throw OAuthError.InvalidProof("The app's manifest wants tokens bound to a key: send the header DPoP.");
        }

        return type switch
        {
            "authorization_code" => OfCodeAsync(client, parameters, context, cancellationToken),
            "refresh_token" => OfRefreshTokenAsync(client, parameters, context, cancellationToken),
            "client_credentials" => OfAppAsync(client, parameters, context, cancellationToken),
            DeviceType => OfDeviceAsync(client, parameters, context, cancellationToken),
            VisitorType => OfVisitorAsync(client, parameters, context, cancellationToken),
            _ => throw new OAuthError("unsupported_grant_type", $"Tokens are issued for: {string.Join(", ", Types)}."),
        };
    }

    private async Task<IssuedTokens> OfCodeAsync(Client client, Parameters parameters, TokenContext context, CancellationToken cancellationToken)
    {
        var redeemed = await codes.RedeemAsync(
            client,
            new CodeRedemption(
                parameters.Require("code"), parameters["redirect_uri"], parameters.Require("code_verifier"), context.KeyThumbprint, context.Network),
            cancellationToken);
        return await issuer.IssueAsync(client, redeemed.Family, redeemed.RefreshToken, redeemed.Nonce, cancellationToken);
    }

    private async Task<IssuedTokens> OfRefreshTokenAsync(
        Client client, Parameters parameters, TokenContext context, CancellationToken cancellationToken)
    {
        var token = parameters.Require("refresh_token");
        var narrowed = parameters["scope"] is { } scope ? ScopeNames.Parse(scope) ?? throw OAuthError.InvalidScope("The scope is malformed.") : null;
        if (narrowed is not null && await refreshTokens.FindScopesAsync(client, token, cancellationToken) is { } granted
            && narrowed.Except(granted).FirstOrDefault() is { } raised)
        {
            throw OAuthError.InvalidScope($"The scope {raised} is not among those that were granted.");
        }

        var (family, next) = await refreshTokens.RotateAsync(client, token, context.KeyThumbprint, context.Network, cancellationToken);
        family = family with { Scopes = [.. family.Scopes.Where(name => narrowed is null || narrowed.Contains(name))] };
        return await issuer.IssueAsync(client, family, next, nonce: null, cancellationToken);
    }

    private async Task<IssuedTokens> OfAppAsync(Client client, Parameters parameters, TokenContext context, CancellationToken cancellationToken)
    {
        if (!client.IsConfidential)
        {
            throw OAuthError.UnauthorizedClient("Only an app that keeps a secret may act as itself.");
        }

        // Its own documents need nobody's consent; whose others it may see is decided by their access rules.
        var names = ScopeNames.Parse(parameters["scope"] ?? "documents:*:write") ?? throw OAuthError.InvalidScope("The scope is malformed.");
        if (names.FirstOrDefault(static name => Scopes.Parse(name).Read.IsEmpty) is { } unknown)
        {
            throw OAuthError.InvalidScope($"{unknown} is no scope of documents: an app acts as itself with documents:<collection>:<read|write>.");
        }

        var family = await families.CreateOfAppAsync(client.Did, names, context.KeyThumbprint, issuer.Life, cancellationToken);
        return await issuer.IssueAsync(client, family, refreshToken: null, nonce: null, cancellationToken);
    }

    private async Task<IssuedTokens> OfDeviceAsync(Client client, Parameters parameters, TokenContext context, CancellationToken cancellationToken)
    {
        var (family, refreshToken) = await devices.RedeemAsync(client, parameters.Require("device_code"), context.KeyThumbprint, cancellationToken);
        return await issuer.IssueAsync(client, family, refreshToken, nonce: null, cancellationToken);
    }

    private async Task<IssuedTokens> OfVisitorAsync(Client client, Parameters parameters, TokenContext context, CancellationToken cancellationToken)
    {
        // The browser says where the page comes from, and a page cannot change that. What else sends the header reads what is public.
        if (context.Origin is null || !client.Manifest.Origins.Contains(context.Origin))
        {
            throw OAuthError.UnauthorizedClient("Visitors come from an origin of the app's manifest.");
        }

        string[] allowed = [.. client.Manifest.VisitorCollections.Select(static collection => $"documents:{collection}:read")];
        var names = parameters["scope"] is { } scope ? ScopeNames.Parse(scope) : allowed;
        if (names is null || names.Except(allowed).Any())
        {
            throw OAuthError.InvalidScope("A visitor reads the collections of the manifest's visitor_collections, and nothing else.");
        }

        if (names.Count == 0)
        {
            throw OAuthError.UnauthorizedClient("The app's manifest has no visitor_collections.");
        }

        if (!await clients.IsActiveAsync(client.Did, cancellationToken))
        {
            throw OAuthError.InvalidClient();
        }

        if (await throttle.TryTakeAsync(VisitorRule, context.Network, cancellationToken) is not null)
        {
            throw OAuthError.SlowDown("Too many visitors from this network: try again later.");
        }

        return new IssuedTokens
        {
            AccessToken = codec.Sign(new AccessToken
            {
                Subject = AccessToken.VisitorOf(client.Did), Client = client.Did, Scope = string.Join(' ', names),
                KeyThumbprint = context.KeyThumbprint, ExpireTime = time.GetUtcNow() + VisitorLife,
            }),
            TokenType = TokenIssuer.TypeOf(context.KeyThumbprint),
            Life = VisitorLife,
            Scope = string.Join(' ', names),
        };
    }
}
