using System.Security.Cryptography;
using Vibe.Client.Auth;
using Vibe.Client.Calls;

namespace Vibe.Client;

/// <summary>Asks for an access token.</summary>
/// <param name="Refused">The token that the server has refused, so that another one is needed; null when it refused none.</param>
public sealed record TokenRequest(string? Refused);

/// <summary>Who a client calls as.</summary>
public abstract class VibeCredentials
{
    private protected VibeCredentials()
    {
    }

    /// <summary>A signed-out visitor, who sees what is public.</summary>
    public static VibeCredentials None { get; } = new ProvidedCredentials(static (_, _) => ValueTask.FromResult<string?>(null));

    internal virtual bool NeedsApp => false;

    /// <summary>Whoever the access token belongs to. It is not refreshed.</summary>
    /// <param name="accessToken">A bearer token, for example of <c>vibe token --user demo</c>, or of a request that is being served.</param>
    public static VibeCredentials Token(string accessToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(accessToken);
        return new ProvidedCredentials((_, _) => ValueTask.FromResult<string?>(accessToken));
    }

    /// <summary>Whoever the tokens of a provider belong to.</summary>
    /// <param name="provider">
    /// Gives the bearer token of the next call; null for a signed-out visitor. Asked before every call: answer from memory, and go to the
    /// network only when the token was refused or is about to expire.
    /// </param>
    public static VibeCredentials FromProvider(Func<TokenRequest, CancellationToken, ValueTask<string?>> provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
        return new ProvidedCredentials(provider);
    }

    /// <summary>The app itself (client_credentials), proven by its secret. Tokens are fetched and renewed as needed.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="scope">Documents scopes, separated by spaces; null for all that the app may.</param>
    public static VibeCredentials AppSecret(string secret, string? scope = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        return new AppCredentials(_ => [new("client_secret", secret)], scope);
    }

    /// <summary>The app itself (client_credentials), proven by its key (private_key_jwt, RFC 7523). Tokens are fetched and renewed as needed.</summary>
    /// <param name="key">The private half of a key of the app: <see cref="ECDsa"/> on P-256, or <see cref="RSA"/>. It stays the caller's.</param>
    /// <param name="scope">Documents scopes, separated by spaces; null for all that the app may.</param>
    /// <exception cref="ArgumentException">A key of another kind.</exception>
    public static VibeCredentials AppKey(AsymmetricAlgorithm key, string? scope = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key is not (ECDsa { KeySize: 256 } or RSA))
        {
            throw new ArgumentException("An app signs with ECDsa on P-256 or with RSA.", nameof(key));
        }

        return new AppCredentials(context => ClientAssertion.Parameters(key, context), scope);
    }

    internal abstract TokenSource Open(Connection connection);

    private sealed class ProvidedCredentials(Func<TokenRequest, CancellationToken, ValueTask<string?>> provider) : VibeCredentials
    {
        internal override TokenSource Open(Connection connection) => new ProvidedTokens(provider);
    }

    private sealed class AppCredentials(Func<AssertionContext, KeyValuePair<string, string>[]> prove, string? scope) : VibeCredentials
    {
        internal override bool NeedsApp => true;

        internal override TokenSource Open(Connection connection) => new AppTokens(connection, prove, scope);
    }

    private sealed class ProvidedTokens(Func<TokenRequest, CancellationToken, ValueTask<string?>> provider) : TokenSource
    {
        public override async ValueTask<AccessToken?> GetAsync(string? refused, CancellationToken cancellationToken) =>
            await provider(new TokenRequest(refused), cancellationToken).ConfigureAwait(false) is { Length: > 0 } token
                ? new AccessToken(token, Key: null, UseUntil: null)
                : null;
    }
}
