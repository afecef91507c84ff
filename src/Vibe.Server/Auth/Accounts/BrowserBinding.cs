using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>
/// Ties what is started in a browser (a challenge, a mail link, a request of an app) to that browser, signed in or not: a cookie
/// without meaning, of which the database keeps the hash. It is no session: nothing is allowed by it alone.
/// </summary>
internal static class BrowserBinding
{
    /// <summary>The cookie. The prefix keeps sub-domains and plain connections from planting one (RFC 6265bis section 4.1.3.2).</summary>
    public const string CookieName = "__Host-vibe-browser";

    private static readonly object Made = new();

    /// <summary>The browser's hash, null when it has no cookie.</summary>
    public static Bytea? Find(HttpContext http) => http.Items.TryGetValue(Made, out var made) && made is string secret
        ? Secret.Hash(secret)
        : http.Request.Cookies[CookieName] is { Length: > 0 } cookie ? Secret.Hash(cookie) : null;

    /// <summary>The browser's hash; a browser without a cookie gets one with the answer. It lasts until the browser is closed.</summary>
    public static Bytea Ensure(HttpContext http)
    {
        if (Find(http) is { } known)
        {
            return known;
        }

        var secret = Secret.New();
        http.Items[Made] = secret;
        http.Response.Cookies.Append(
            CookieName, secret, new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", IsEssential = true });
        return Secret.Hash(secret);
    }
}
