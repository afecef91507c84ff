using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Feed;

/// <summary>Who may read one version of a document, as the database compiled it from the ACL.</summary>
/// <param name="Audience">0 named principals, 1 every signed-in user, 2 everyone.</param>
/// <param name="Readers">Named principals that may read.</param>
/// <param name="Denied">Principals kept out.</param>
internal sealed record ReadRules(int Audience, string[] Readers, string[] Denied)
{
    /// <summary>Whether the row policies let the caller read it. The same rule as <c>documents_read</c> and <c>documents_read_scope</c>.</summary>
    public bool Admit(Caller caller, string owner, string collection)
    {
        var isOwner = caller.Did is not null && owner == caller.Did;
        if (!isOwner && Denied.Length > 0 && Meet(Denied, caller))
        {
            return false;
        }

        return Audience == 2 || (MayRead(caller, isOwner, collection) && caller.Scopes.MayRead(collection));
    }

    private bool MayRead(Caller caller, bool isOwner, string collection) =>
        isOwner || (Audience == 1 && caller.Principals.Contains(PrincipalName.Users)) || (Readers.Length > 0 && Meet(Readers, caller))
        || caller.Privileges.MayRead(collection);

    private static bool Meet(string[] principals, Caller caller)
    {
        foreach (var principal in principals)
        {
            if (caller.Principals.Contains(principal))
            {
                return true;
            }
        }

        return false;
    }
}
