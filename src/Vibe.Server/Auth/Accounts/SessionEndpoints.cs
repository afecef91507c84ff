namespace Vibe.Server.Auth.Accounts;

/// <summary>Who is signed in, and signing out.</summary>
internal static class SessionEndpoints
{
    /// <summary>Maps them.</summary>
    public static void MapSessionEndpoints(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPageGet("/auth/session", static async (http, cancellationToken) =>
            SessionAnswer.Of(await http.RequestServices.GetRequiredService<Sessions>().FindAsync(http, cancellationToken)));
        endpoints.MapPagePost<NoFields, NoFields>("/auth/sign-out", static async (http, _, cancellationToken) =>
        {
            await http.RequestServices.GetRequiredService<Sessions>().SignOutAsync(http, cancellationToken);
            return new NoFields();
        });
    }
}

/// <summary>An empty JSON object.</summary>
internal sealed record NoFields;

/// <summary>A person as the pages show them.</summary>
/// <param name="Did">The person.</param>
/// <param name="Handle">Their handle.</param>
/// <param name="DisplayName">What they are called; empty when they did not say.</param>
internal sealed record AccountAnswer(string Did, string Handle, string DisplayName)
{
    /// <summary>Whose session it is.</summary>
    public static AccountAnswer Of(Session session) => new(session.Did, session.Handle, session.DisplayName);
}

/// <summary>Who is signed in; nothing when nobody is.</summary>
/// <param name="Account">The person.</param>
/// <param name="Methods">How they proved who they are: RFC 8176, <c>mail</c>, <c>recovery</c>.</param>
/// <param name="AuthTime">When they last did.</param>
internal sealed record SessionAnswer(AccountAnswer? Account, string[]? Methods, DateTimeOffset? AuthTime)
{
    /// <summary>What a session says.</summary>
    public static SessionAnswer Of(Session? session) =>
        session is null ? new(null, null, null) : new(AccountAnswer.Of(session), session.Methods, session.AuthTime);
}
