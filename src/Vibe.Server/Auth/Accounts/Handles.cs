using System.Text.RegularExpressions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Accounts;

/// <summary>What a handle may look like. A handle is a public name for a DID; it may change, the DID never does.</summary>
internal static partial class Handles
{
    // Words that people take for the platform itself, and paths it uses. Compared without what is easily mistaken.
    private static readonly HashSet<string> Reserved = new(
        [
            "about", "abuse", "account", "accounts", "admin", "administrator", "api", "app", "apps", "auth", "authorize", "billing", "blog",
            "consent", "contact", "dashboard", "device", "docs", "everyone", "example", "feedback", "fedcm", "files", "help", "hostmaster",
            "info", "legal", "login", "logout", "mail", "me", "mod", "moderator", "noreply", "null", "oauth", "official", "operator",
            "owner", "postmaster", "privacy", "public", "root", "security", "self", "settings", "signin", "signout", "signup", "staff",
            "status", "support", "sysadmin", "system", "team", "terms", "undefined", "user", "users", "verified", "verify", "vibe",
            "vibeapp", "vibesupport", "vibeteam", "webmaster", "www",
        ],
        StringComparer.Ordinal);

    /// <summary>The handle as it is stored: lower case.</summary>
    /// <param name="text">As a person typed it.</param>
    /// <param name="field">The field's name.</param>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: 1 to 63 characters of a-z, 0-9 and -, none reserved, - neither first, last nor twice in a row.</exception>
    public static string Read(string? text, string field)
    {
        var handle = (text ?? "").Trim().ToLowerInvariant();
        if (!Form.IsMatch(handle))
        {
            throw VibeError.InvalidField(field, "has 1 to 63 characters of a-z, 0-9 and -; a - stands between two others", "handle.form");
        }

        return Reserved.Contains(Plain(handle)) ? throw VibeError.InvalidField(field, "is a reserved word", "handle.reserved") : handle;
    }

    // "vibe-supp0rt" reads as "vibesupport".
    private static string Plain(string handle) =>
        handle.Replace("-", "", StringComparison.Ordinal).Replace('0', 'o').Replace('1', 'l').Replace('5', 's');

    [GeneratedRegex(@"^(?=.{1,63}\z)[a-z0-9]+(?:-[a-z0-9]+)*\z", RegexOptions.None, matchTimeoutMilliseconds: 100)]
    private static partial Regex Form { get; }
}
