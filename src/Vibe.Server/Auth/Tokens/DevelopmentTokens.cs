using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Hosting;

namespace Vibe.Server.Auth.Tokens;

/// <summary>
/// Access tokens for whoever operates this installation: of the same families and with the same keys and claims as those of the
/// OAuth provider, so that nothing can tell them apart, and they can be revoked in the same way.
/// </summary>
internal sealed class DevelopmentTokens(Database database, NamedAccounts accounts, TokenCodec codec, TimeProvider time)
{
    /// <summary>Reads the installation's name and keys.</summary>
    public static async Task<DevelopmentTokens> OpenAsync(Storage storage, CancellationToken cancellationToken)
    {
        var options = new AuthOptions { Issuer = await ServerIdentity.ReadAsync(storage.Database, cancellationToken) };
        var keys = await SigningKeys.LoadAsync(storage.Database, storage.MasterKey, cancellationToken);
        return new DevelopmentTokens(
            storage.Database, new NamedAccounts(storage.Database, options), new TokenCodec(keys, options, TimeProvider.System), TimeProvider.System);
    }

    /// <summary>Makes a token for a user, for an app acting for a user, or for an app acting as itself.</summary>
    /// <exception cref="Refusal">Neither is named, or a name has the wrong form.</exception>
    public async Task<string> MintAsync(string? user, string? app, string scope, TimeSpan life, CancellationToken cancellationToken)
    {
        var client = app is null ? null : await accounts.FindOrCreateAppAsync(app, cancellationToken);
        var subject = user is null ? client : await accounts.FindOrCreateUserAsync(user, cancellationToken);
        var now = time.GetUtcNow();
        var family = new TokenFamily
        {
            Id = Guid.CreateVersion7(now),
            Did = subject ?? throw new Refusal("Say whose token: --user NAME, --app NAME, or both."),
            Scopes = scope.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        };
        await database.Owner.ExecuteAsync(TokenFamilies.ToStatement(family, client, now, now + life), cancellationToken);
        return codec.Sign(new AccessToken
        {
            Subject = family.Did,
            Client = client,
            Scope = scope,
            Grant = family.Id.ToString(),
            ExpireTime = now + life,
        });
    }
}
