using System.Buffers;
using Vibe.Apps.V1;

namespace Vibe.Server.Apps.Manifests;

/// <summary>
/// The forms of addresses in a manifest. An address is compared exactly later on, so only its canonical form is taken: what
/// parsers read in more than one way (dots in the path, user names, default ports, other cases) never gets in.
/// </summary>
internal static class AppUris
{
    private static readonly SearchValues<char> Refused = SearchValues.Create("\\\"<>^`{|}*# ");

    /// <summary>What is wrong with an origin; null when nothing is.</summary>
    public static string? ProblemOfOrigin(string text) =>
        Parse(text) is not { } uri || $"{text}/" != uri.AbsoluteUri ? "is not an origin in canonical form: https://app.example, without a path"
        : IsSecure(uri) || IsLocalPage(uri) ? null
        : "is neither https nor http on localhost or *.localhost";

    /// <summary>What is wrong with a page people can follow a link to; null when nothing is.</summary>
    public static string? ProblemOfPage(string text) =>
        Parse(text) is not { } uri ? "is not an absolute address in canonical form"
        : IsSecure(uri) || IsLocalPage(uri) ? null
        : "is neither https nor http on localhost or *.localhost";

    /// <summary>What is wrong with a place that codes are sent to; null when nothing is.</summary>
    public static string? ProblemOfRedirect(string text, ClientType client)
    {
        if (Parse(text) is not { } uri)
        {
            return "is not an absolute address in canonical form, without fragment, user name or wildcard";
        }

        if (IsSecure(uri) || IsLocalPage(uri) || IsLoopback(uri))
        {
            return null;
        }

        // RFC 8252 section 7.1: a name that somebody owns, reversed. Without the dot: javascript, data, and what other programs took.
        return uri.Scheme is "http" or "https" ? "is neither https nor http on localhost, *.localhost or a loopback address"
            : client != ClientType.Native ? "is not https: schemes of their own are for apps of the type NATIVE"
            : !uri.Scheme.Contains('.', StringComparison.Ordinal) ? "has a scheme without a dot: use the reverse of a domain name, com.example.app:/callback"
            : null;
    }

    private static bool IsSecure(Uri uri) => uri.Scheme == Uri.UriSchemeHttps && uri.Host.Length > 0;

    private static bool IsLocalPage(Uri uri) =>
        uri.Scheme == Uri.UriSchemeHttp && (uri.Host == "localhost" || uri.Host.EndsWith(".localhost", StringComparison.Ordinal));

    private static bool IsLoopback(Uri uri) => uri.Scheme == Uri.UriSchemeHttp && uri.Host is "127.0.0.1" or "[::1]";

    private static Uri? Parse(string text) =>
        text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('!', '~') && !text.AsSpan().ContainsAny(Refused)
        && Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0
        && (uri.AbsoluteUri == text || uri.AbsoluteUri == $"{text}/")
            ? uri
            : null;
}
