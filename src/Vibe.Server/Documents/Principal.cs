using System.Text.RegularExpressions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>The forms of a principal in access rules.</summary>
internal static partial class Principal
{
    private const int MaxLength = 512;

    /// <summary>Whether the text names a user, an app, or the holders of a certificate.</summary>
    public static bool IsNamed(string text) =>
        text.Length <= MaxLength && (text.StartsWith("cert:", StringComparison.Ordinal) ? Certificate().IsMatch(text) : Did().IsMatch(text));

    /// <summary>Whether the text is a group.</summary>
    public static bool IsGroup(string text) => text is PrincipalName.Everyone or PrincipalName.Users;

    // DID Core section 3.1, without empty parts.
    [GeneratedRegex(@"^did:[a-z0-9]+(:[A-Za-z0-9._%-]+)+\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Did();

    [GeneratedRegex(@"^cert:did:[a-z0-9]+(:[A-Za-z0-9._%-]+)+#[A-Za-z0-9._-]+\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Certificate();
}
