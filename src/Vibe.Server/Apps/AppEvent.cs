using Vibe.Server.Auth.Accounts;
using Vibe.Server.Kernel;

namespace Vibe.Server.Apps;

/// <summary>Entries of an app's audit log. Written in the transaction of what they tell.</summary>
internal static class AppEvent
{
    /// <summary>What a caller did.</summary>
    /// <param name="caller">Who did it.</param>
    /// <param name="type">What: <c>app.update</c>.</param>
    /// <param name="details">What else there is to know. Never a secret.</param>
    public static AuditEvent Of(Caller caller, string type, params ReadOnlySpan<(string Name, string Value)> details)
    {
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in details)
        {
            known[name] = value;
        }

        return new AuditEvent { Type = type, Actor = caller.Did, Details = known };
    }
}
