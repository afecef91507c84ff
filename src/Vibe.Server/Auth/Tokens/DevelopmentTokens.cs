using Vibe.Server.Hosting;

namespace Vibe.Server.Auth.Tokens;

/// <summary>
/// Access tokens for whoever operates this installation: made with the same keys and claims as those of the OAuth
/// provider, so that nothing can tell them apart.
/// </summary>
internal sealed class DevelopmentTokens(NamedAccounts accounts, TokenCodec codec, TimeProvider time)
{
    /// <summary>Reads the installation's name and keys.</summary>
    public static async Task<DevelopmentTokens> OpenAsync(Storage storage, CancellationToken cancellationToken)
    {
        var options = new AuthOptions { Issuer = await ServerIdentity.ReadAsync(storage.Database, cancellationToken) };
        var keys = await SigningKeys.LoadAsync(storage.Database, storage.MasterKey, cancellationToken);
        return new DevelopmentTokens(
            new NamedAccounts(storage.Database, options), new TokenCodec(keys, options, TimeProvider.System), TimeProvider.System);
    }

    /// <summary>Makes a token for a user, for an app acting for a user, or for an app acting as itself.</summary>
    /// <exception cref="Refusal">Neither is named, or a name has the wrong form.</exception>
    public async Task<string> MintAsync(string? user, string? app, string scope, TimeSpan life, CancellationToken cancellationToken)
    {
        var client = app is null ? null : await accounts.FindOrCreateAppAsync(app, cancellationToken);
        var subject = user is null ? client : await accounts.FindOrCreateUserAsync(user, cancellationToken);
        return codec.Sign(new AccessToken
        {
            Subject = subject ?? throw new Refusal("Say whose token: --user NAME, --app NAME, or both."),
            Client = client,
            Scope = scope,
            ExpireTime = time.GetUtcNow() + life,
        });
    }
}
