namespace Vibe.Server.Auth.Accounts;

/// <summary>The two cookies of a session, and what the browser is told of it for FedCM.</summary>
internal static class SessionCookies
{
    /// <summary>Holds the session. Never sent from other sites but by following a link.</summary>
    public const string Session = "__Host-vibe-session";

    /// <summary>
    /// Holds the session for FedCM, whose requests carry no Lax cookies. Good under /fedcm only, so that it cannot have the
    /// prefix of the other one.
    /// </summary>
    public const string FedCm = "vibe-fedcm";

    private const string FedCmPath = "/fedcm";

    /// <summary>Sets both.</summary>
    public static void Set(HttpContext http, string session, string fedCm, TimeSpan life)
    {
        http.Response.Cookies.Append(Session, session, Options(SameSiteMode.Lax, "/", life));
        http.Response.Cookies.Append(FedCm, fedCm, Options(SameSiteMode.None, FedCmPath, life));
        http.Response.Headers["Set-Login"] = "logged-in";
    }

    /// <summary>Removes both.</summary>
    public static void Clear(HttpContext http)
    {
        http.Response.Cookies.Append(Session, "", Options(SameSiteMode.Lax, "/", TimeSpan.Zero));
        http.Response.Cookies.Append(FedCm, "", Options(SameSiteMode.None, FedCmPath, TimeSpan.Zero));
        http.Response.Headers["Set-Login"] = "logged-out";
    }

    private static CookieOptions Options(SameSiteMode sameSite, string path, TimeSpan life) =>
        new() { HttpOnly = true, Secure = true, SameSite = sameSite, Path = path, MaxAge = life, IsEssential = true };
}
