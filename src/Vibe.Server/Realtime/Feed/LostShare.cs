using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Feed;

/// <summary>A document is closed to somebody it may have been open to: a removed row of <c>doc_acl</c>.</summary>
/// <param name="Principal">Whom it is closed to; everyone, every signed-in user, or a named principal.</param>
/// <param name="Via">Of a denial: what the document was open to before. Else empty.</param>
/// <param name="HiddenFrom">Who was denied it before.</param>
internal sealed record LostShare(string Principal, string[] Via, string[] HiddenFrom)
{
    /// <summary>Whether the caller may have seen the document before. The same rule as that of catching up.</summary>
    public bool Concerns(Caller caller, string collection) =>
        (Principal == PrincipalName.Everyone || (caller.Principals.Contains(Principal) && (caller.Scopes.MayRead(collection) || Via.Contains(PrincipalName.Everyone))))
        && (Via.Length == 0 || Via.Intersect(SeenThrough(caller, collection), StringComparer.Ordinal).Any())
        && !HiddenFrom.Intersect(caller.Principals, StringComparer.Ordinal).Any();

    /// <summary>By which of the names in <see cref="Via"/> the caller may have seen a document before.</summary>
    public static string[] SeenThrough(Caller caller, string collection) =>
        [.. caller.Principals, PrincipalName.Everyone, .. caller.Privileges.MayRead(collection) ? (string[])[Privileged] : []];

    // Stands for every app with a privilege for the collection.
    private const string Privileged = "privileged";
}
