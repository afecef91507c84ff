using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Revocations;

/// <summary>Revokes: on this node at once, on the others within a second.</summary>
internal sealed class Revoker(RevocationStore store, RevocationSet revocations)
{
    /// <summary>Revokes. Returns when it is durable and in force here.</summary>
    /// <exception cref="DatabaseException">It cannot be promised; doing it again is safe.</exception>
    public async Task RevokeAsync(Revocation revocation, CancellationToken cancellationToken) =>
        revocations.Apply(await store.InsertAsync(revocation, cancellationToken));
}
