using Microsoft.AspNetCore.Identity;

namespace Vibe.Server.Auth.Accounts;

/// <summary>
/// What the framework's WebAuthn handler reads while it verifies. It writes nothing: who may add or use a passkey is decided
/// where it is added and used, in one statement with the rest.
/// </summary>
internal sealed class PasskeyUserStore(PasskeyStore passkeys) : IUserPasskeyStore<VibeUser>
{
    /// <inheritdoc/>
    public Task<VibeUser?> FindByIdAsync(string userId, CancellationToken cancellationToken) => passkeys.FindUserAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<string> GetUserIdAsync(VibeUser user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

    /// <inheritdoc/>
    public Task<string?> GetUserNameAsync(VibeUser user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Handle);

    /// <inheritdoc/>
    public Task<string?> GetNormalizedUserNameAsync(VibeUser user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Handle);

    /// <inheritdoc/>
    public Task<IList<UserPasskeyInfo>> GetPasskeysAsync(VibeUser user, CancellationToken cancellationToken) =>
        passkeys.ListInfosAsync(user.Did, cancellationToken);

    /// <inheritdoc/>
    public Task<UserPasskeyInfo?> FindPasskeyAsync(VibeUser user, byte[] credentialId, CancellationToken cancellationToken) =>
        passkeys.FindActiveAsync(user.Did, credentialId, cancellationToken);

    /// <inheritdoc/>
    public Task<VibeUser?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) => passkeys.FindOwnerAsync(credentialId, cancellationToken);

    /// <inheritdoc/>
    public Task<VibeUser?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => throw NotHere();

    /// <inheritdoc/>
    public Task AddOrUpdatePasskeyAsync(VibeUser user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw NotHere();

    /// <inheritdoc/>
    public Task RemovePasskeyAsync(VibeUser user, byte[] credentialId, CancellationToken cancellationToken) => throw NotHere();

    /// <inheritdoc/>
    public Task SetUserNameAsync(VibeUser user, string? userName, CancellationToken cancellationToken) => throw NotHere();

    /// <inheritdoc/>
    public Task SetNormalizedUserNameAsync(VibeUser user, string? normalizedName, CancellationToken cancellationToken) => throw NotHere();

    /// <inheritdoc/>
    public Task<IdentityResult> CreateAsync(VibeUser user, CancellationToken cancellationToken) => throw NotHere();

    /// <inheritdoc/>
    public Task<IdentityResult> UpdateAsync(VibeUser user, CancellationToken cancellationToken) => throw NotHere();

    /// <inheritdoc/>
    public Task<IdentityResult> DeleteAsync(VibeUser user, CancellationToken cancellationToken) => throw NotHere();

    /// <inheritdoc/>
    public void Dispose()
    {
        // Holds nothing.
    }

    private static NotSupportedException NotHere() => new("Accounts and passkeys are written by their own stores.");
}
