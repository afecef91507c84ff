using Vibe.Apps.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Scopes by name, as apps ask for them (RFC 6749 section 3.3).</summary>
internal static class ScopeNames
{
    /// <summary>Sign-in: the app learns who the person is.</summary>
    public const string OpenId = "openid";

    /// <summary>Handle, shown name, language.</summary>
    public const string Profile = "profile";

    /// <summary>Stays signed in: refresh tokens.</summary>
    public const string OfflineAccess = "offline_access";

    /// <summary>What every app may ask for.</summary>
    public static readonly IReadOnlyList<string> Standard = [OpenId, Profile, OfflineAccess];

    // Of the account pages and of operators. The manifest's rules refuse them; this holds without those.
    private static readonly string[] FirstParty = ["account", "admin"];

    // Of OpenID Connect, and asked for out of habit: this provider has no such claims, and leaving a scope out of the answer is
    // how a provider says so (RFC 6749 section 3.3).
    private static readonly string[] Empty = ["email", "address", "phone"];

    /// <summary>The names in a parameter, each once; null when one has characters that no scope has.</summary>
    public static IReadOnlyList<string>? Parse(string? scope)
    {
        var names = (scope ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToArray();
        return names.All(static name => name.All(static character => character is '!' or (>= '#' and <= '[') or (>= ']' and <= '~'))) ? names : null;
    }

    /// <summary>Those of the names that an app may ask people for and that mean something here.</summary>
    /// <exception cref="OAuthError">invalid_scope: one is not in the manifest.</exception>
    public static IReadOnlyList<string> Check(Client client, IReadOnlyList<string>? names)
    {
        if (names is null)
        {
            throw OAuthError.InvalidScope("A scope has characters that no scope has.");
        }

        var known = names.Where(name => Standard.Contains(name) || Find(client, name) is not null).ToArray();
        return names.Except(known).Except(Empty).FirstOrDefault() is { } unknown
            ? throw OAuthError.InvalidScope($"The app's manifest does not ask for the scope {unknown}.")
            : known;
    }

    /// <summary>What the manifest says of a scope; null when it does not name it, or may not: whatever came to stand there.</summary>
    public static ScopeRequest? Find(Client client, string name) =>
        FirstParty.Contains(name) ? null : client.Manifest.Scopes.FirstOrDefault(scope => scope.Name == name);

    /// <summary>
    /// What a token carries for granted names: the names, and the documents scopes that bundles stand for. What the manifest
    /// does not name any more is gone.
    /// </summary>
    public static string Expand(Client client, IEnumerable<string> granted)
    {
        var names = granted.Where(name => Standard.Contains(name) || Find(client, name) is not null).ToList();
        return string.Join(' ', names.Concat(names.SelectMany(name => Find(client, name)?.Grants ?? []).Where(static scope => DocumentsScope.Parse(scope) is not null)).Distinct(StringComparer.Ordinal));
    }

    /// <summary>Whether an app cannot do without a scope: it is let in with it or not at all.</summary>
    public static bool IsRequired(Client client, string name) => name == OpenId || Find(client, name) is { Required: true };

    /// <summary>Whether a scope lets an app change documents: consent pages say so in other words.</summary>
    public static bool Writes(Client client, string name) =>
        !Scopes.Parse(string.Join(' ', [name, .. Find(client, name)?.Grants ?? []])).Write.IsEmpty;
}
