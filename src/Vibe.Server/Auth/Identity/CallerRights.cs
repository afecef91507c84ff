using System.Collections.Immutable;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Identity;

/// <summary>What a caller has beside what the access token says.</summary>
/// <param name="Certificates">The principals <c>cert:&lt;issuer&gt;#&lt;type&gt;</c> of the certificates it holds.</param>
/// <param name="Privileges">What an operator has approved for an app that acts as itself.</param>
/// <param name="ChangeTime">When the first of the certificates ends; null for none that does.</param>
internal sealed record CallerRights(ImmutableArray<string> Certificates, Scopes Privileges, DateTimeOffset? ChangeTime)
{
    /// <summary>Nothing.</summary>
    public static readonly CallerRights None = new([], Scopes.None, null);
}

/// <summary>Finds out what callers have beside what their access tokens say.</summary>
internal interface ICallerRights
{
    /// <summary>Looks it up.</summary>
    /// <param name="did">The caller.</param>
    /// <param name="isApp">Whether it is an app that acts as itself.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    ValueTask<CallerRights> FindAsync(string did, bool isApp, CancellationToken cancellationToken);
}

/// <summary>The rights that the database knows.</summary>
internal sealed class StoredCallerRights(Database database, CertificateStore certificates) : ICallerRights
{
    /// <inheritdoc/>
    public async ValueTask<CallerRights> FindAsync(string did, bool isApp, CancellationToken cancellationToken)
    {
        var (principals, change) = await certificates.PrincipalsOfAsync(did, cancellationToken);
        var privileges = isApp
            ? await database.Owner.QueryFirstAsync(
                $"select a.approved_privileges from vibe.apps a where a.did = {did} and a.delete_time is null and a.disable_time is null",
                static row => row.GetTextArray(0), cancellationToken)
            : null;
        return principals.Count == 0 && privileges is null or [] ? CallerRights.None
            : new CallerRights([.. principals], privileges is null ? Scopes.None : Scopes.Parse(string.Join(' ', privileges)), change);
    }
}
