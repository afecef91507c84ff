using System.Text.RegularExpressions;
using Google.Protobuf.Collections;
using Google.Rpc;
using Vibe.Apps.V1;
using Vibe.Server.Auth;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;

namespace Vibe.Server.Apps.Manifests;

/// <summary>What a manifest may say. Finds all that is wrong with it, not only the first.</summary>
internal sealed partial class ManifestRules(AuthOptions auth)
{
    private const int MaxSentence = 500;
    private const int MaxScopeText = 200;

    // Scopes with a meaning of their own: a bundle of that name would be taken for them.
    private static readonly HashSet<string> OwnScopes = new(
        ["openid", "profile", "email", "address", "phone", "offline_access", "account", "admin", "documents"], StringComparer.Ordinal);

    /// <summary>Checks an app's name.</summary>
    public static IEnumerable<BadRequest.Types.FieldViolation> CheckName(string name, string field)
    {
        if (!Name.IsMatch(name))
        {
            yield return Violation(field, "is not of the form ^[a-z0-9][a-z0-9-]{0,62}$", "app.name");
        }
        else if (DisplayNames.IsReserved(name))
        {
            yield return Violation(field, "could be taken for Vibe itself", "app.reserved_name");
        }
    }

    /// <summary>Checks a manifest.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="prefix">Its place in the request, with a dot at the end.</param>
    public IReadOnlyList<BadRequest.Types.FieldViolation> Check(AppManifest manifest, string prefix) =>
    [
        .. Texts(manifest, prefix), .. Addresses(manifest, prefix), .. Scopes(manifest.Scopes, $"{prefix}scopes"),
        .. Collections(manifest, prefix), .. Privileges(manifest, prefix),
        .. manifest.IdTokenSignedResponseAlg is "" or "ES256" or "RS256" ? (BadRequest.Types.FieldViolation[])[]
            : [Violation($"{prefix}idTokenSignedResponseAlg", "is neither ES256 nor RS256", "app.algorithm")],
    ];

    /// <summary>A broken rule.</summary>
    public static BadRequest.Types.FieldViolation Violation(string field, string description, string rule) =>
        new() { Field = field, Description = description, Reason = rule };

    private static IEnumerable<BadRequest.Types.FieldViolation> Texts(AppManifest manifest, string prefix)
    {
        if (DisplayNames.Problem(manifest.DisplayName) is { } problem)
        {
            yield return Violation($"{prefix}displayName", problem, "app.display_name");
        }

        if (manifest.Description.Length > 0 && DisplayNames.ProblemOfText(manifest.Description, MaxSentence) is { } unreadable)
        {
            yield return Violation($"{prefix}description", unreadable, "app.text");
        }
    }

    private IEnumerable<BadRequest.Types.FieldViolation> Addresses(AppManifest manifest, string prefix)
    {
        foreach (var (field, page) in new[] { ("homepageUri", manifest.HomepageUri), ("policyUri", manifest.PolicyUri), ("termsUri", manifest.TermsUri) })
        {
            if (page.Length > 0 && AppUris.ProblemOfPage(page) is { } problem)
            {
                yield return Violation($"{prefix}{field}", problem, "app.uri");
            }
        }

        var violations = Each(manifest.Origins, $"{prefix}origins", "app.origin", origin => AppUris.ProblemOfOrigin(origin) ?? (IsOurs(origin) ? "is Vibe's own" : null))
            .Concat(Each(manifest.RedirectUris, $"{prefix}redirectUris", "app.redirect_uri", uri => ProblemOfRedirect(uri, manifest.ClientType)))
            .Concat(Each(manifest.PostLogoutRedirectUris, $"{prefix}postLogoutRedirectUris", "app.redirect_uri", uri => ProblemOfRedirect(uri, manifest.ClientType)));
        foreach (var violation in violations)
        {
            yield return violation;
        }
    }

    private string? ProblemOfRedirect(string uri, ClientType client) => AppUris.ProblemOfRedirect(uri, client) ?? (IsOurs(uri) ? "is Vibe's own" : null);

    // Whoever could have codes sent to our own pages, or speak from our origin, would be us.
    private bool IsOurs(string uri) => uri == auth.Issuer || uri.StartsWith($"{auth.Issuer}/", StringComparison.Ordinal);

    private static IEnumerable<BadRequest.Types.FieldViolation> Scopes(RepeatedField<ScopeRequest> scopes, string field)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < scopes.Count; i++)
        {
            var (scope, place) = (scopes[i], FieldNames.Item(field, i));
            if (!names.Add(scope.Name))
            {
                yield return Violation($"{place}.name", "stands there twice", "app.unique");
            }

            var isDocuments = IsDocumentsScope(scope.Name);
            if (!isDocuments && (!Bundle.IsMatch(scope.Name) || OwnScopes.Contains(scope.Name)))
            {
                yield return Violation($"{place}.name", "is neither documents:<collection>:<read|write> nor a name of 1 to 63 characters of a-z, 0-9, - and _ that has no other meaning", "app.scope");
            }

            if (isDocuments == scope.Grants.Count > 0)
            {
                yield return Violation($"{place}.grants", isDocuments ? "is for bundles: this scope says itself what it grants" : "says what the bundle stands for", "app.scope");
            }

            foreach (var violation in Each(scope.Grants, $"{place}.grants", "app.scope", ProblemOfScope).Concat(Words(scope.Descriptions, $"{place}.descriptions")))
            {
                yield return violation;
            }
        }
    }

    private static IEnumerable<BadRequest.Types.FieldViolation> Words(MapField<string, string> descriptions, string field)
    {
        if (!descriptions.ContainsKey("en"))
        {
            yield return Violation(field, "has no text in English (en)", "app.text");
        }

        foreach (var (language, text) in descriptions)
        {
            if (!Language.IsMatch(language))
            {
                yield return Violation(field, "has a key that is no language tag (BCP 47)", "app.language");
            }
            else if (DisplayNames.ProblemOfText(text, MaxScopeText) is { } problem)
            {
                yield return Violation($"{field}.{language}", problem, "app.text");
            }
        }
    }

    private static IEnumerable<BadRequest.Types.FieldViolation> Collections(AppManifest manifest, string prefix)
    {
        var field = $"{prefix}collections";
        var violations = Each([.. manifest.Collections.Select(static declared => declared.Collection)], field, "app.collection", ProblemOfCollection)
            .Concat(Each(manifest.VisitorCollections, $"{prefix}visitorCollections", "app.collection", ProblemOfCollection));
        foreach (var violation in violations)
        {
            yield return violation;
        }

        for (var i = 0; i < manifest.Collections.Count; i++)
        {
            var (declared, place) = (manifest.Collections[i], FieldNames.Item(field, i));
            if (declared.Description.Length > 0 && DisplayNames.ProblemOfText(declared.Description, MaxSentence) is { } problem)
            {
                yield return Violation($"{place}.description", problem, "app.text");
            }

            foreach (var violation in Each(declared.IndexedFields, $"{place}.indexedFields", "app.indexed_field", FieldIndexSuggestions.ProblemOf))
            {
                yield return violation;
            }
        }
    }

    private static IEnumerable<BadRequest.Types.FieldViolation> Privileges(AppManifest manifest, string prefix) =>
        manifest.Privileges.Count > 0 && manifest.ClientType != ClientType.Confidential
            ? [Violation($"{prefix}privileges", "are for apps of the type CONFIDENTIAL: no other acts as itself", "app.privilege")]
            : Each(manifest.Privileges, $"{prefix}privileges", "app.privilege", ProblemOfScope);

    private static IEnumerable<BadRequest.Types.FieldViolation> Each(RepeatedField<string> items, string field, string rule, Func<string, string?> problemOf)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < items.Count; i++)
        {
            if (problemOf(items[i]) is { } problem)
            {
                yield return Violation(FieldNames.Item(field, i), problem, rule);
            }
            else if (!seen.Add(items[i]))
            {
                yield return Violation(FieldNames.Item(field, i), "stands there twice", "app.unique");
            }
        }
    }

    private static string? ProblemOfCollection(string collection) =>
        CollectionName.IsValid(collection) ? null : "is not of the form ^[a-z][a-z0-9._-]{0,127}$";

    private static string? ProblemOfScope(string scope) => IsDocumentsScope(scope) ? null : "is not documents:<collection>:<read|write> with one collection";

    // Never every collection: people and operators decide about each.
    private static bool IsDocumentsScope(string scope) => DocumentsScope.Parse(scope) is { Collection: not Kernel.Scopes.AnyCollection };

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{0,62}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Name { get; }

    [GeneratedRegex(@"^[a-z0-9_-]{1,63}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Bundle { get; }

    [GeneratedRegex(@"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\z", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Language { get; }
}
