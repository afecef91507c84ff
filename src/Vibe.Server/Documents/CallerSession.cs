using System.Runtime.CompilerServices;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>What row policies are told of a caller.</summary>
internal static class CallerSession
{
    // A caller is shared by all calls of one token; so is the text form of its lists.
    private static readonly ConditionalWeakTable<Caller, RequestContext> Contexts = [];

    /// <summary>The caller as the database sees it.</summary>
    public static RequestContext ToRequestContext(this Caller caller) => Contexts.GetValue(caller, static caller => new RequestContext(
        caller.Did, caller.App, caller.Principals, caller.Scopes.Read, caller.Scopes.Write, caller.Privileges.Read, caller.Privileges.Write));
}
