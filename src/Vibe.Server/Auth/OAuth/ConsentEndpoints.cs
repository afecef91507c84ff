using Vibe.Server.Auth.Accounts;

namespace Vibe.Server.Auth.OAuth;

/// <summary>What the hosted pages ask and answer when an app, or a device, wants to be let in.</summary>
internal static class ConsentEndpoints
{
    // Codes of eight letters cannot be guessed at this pace (RFC 8628 section 5.1).
    private static readonly ThrottleRule UserCodeRule = new("user code", Burst: 5, Refill: TimeSpan.FromMinutes(1));

    /// <summary>Maps them.</summary>
    public static void MapConsentEndpoints(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPageGet("/auth/requests/{id:guid}", static (http, cancellationToken) => GetRequestAsync(http, cancellationToken));
        endpoints.MapPagePost<Decision, NextStep>(
            "/auth/requests/{id:guid}:decide", static (http, decision, cancellationToken) => DecideRequestAsync(http, decision, cancellationToken));
        endpoints.MapPageGet("/auth/devices/{userCode}", static (http, cancellationToken) => GetDeviceAsync(http, cancellationToken));
        endpoints.MapPagePost<Decision, NoFields>(
            "/auth/devices/{userCode}:decide", static (http, decision, cancellationToken) => DecideDeviceAsync(http, decision, cancellationToken));
    }

    private static async Task<RequestAnswer> GetRequestAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var services = http.RequestServices;
        var (pending, client) = await FindRequestAsync(http, cancellationToken);
        var session = await services.GetRequiredService<Sessions>().FindAsync(http, cancellationToken);
        var grant = session is null ? null : await services.GetRequiredService<Grants>().FindAsync(session.Did, client.Did, cancellationToken);
        return new RequestAnswer(
            AppAnswer.Of(client),
            ScopeAnswer.Of(client, pending.Request.Scopes.Where(name => !Holds(grant, name))),
            ScopeAnswer.Of(client, pending.Request.Scopes.Where(name => Holds(grant, name))),
            pending.Request.AsksAnyway,
            session is null || services.GetRequiredService<AuthorizationFlow>().MustSignIn(pending, session),
            pending.Request.LoginHint,
            pending.Request.UiLocales?.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private static async Task<NextStep> DecideRequestAsync(HttpContext http, Decision decision, CancellationToken cancellationToken)
    {
        var services = http.RequestServices;
        var session = await services.GetRequiredService<Sessions>().RequireAsync(http, cancellationToken);
        var (pending, client) = await FindRequestAsync(http, cancellationToken);
        if (pending.DecidedBy is not null)
        {
            throw OAuthRpcErrors.RequestNotFound();
        }

        // Whoever has to sign in again before the app gets anything has to before they answer for it, too.
        if (services.GetRequiredService<AuthorizationFlow>().MustSignIn(pending, session)
            || (pending.Request.ExpectedDid is { } expected && expected != session.Did))
        {
            throw AuthErrors.SignInRequired();
        }

        var accepted = await services.GetRequiredService<Consent>().AcceptAsync(session, client, pending.Request.Scopes, decision, cancellationToken);
        return await services.GetRequiredService<AuthorizationRequests>().DecideAsync(
            pending.Id, BrowserBinding.Ensure(http), session.Did, accepted, cancellationToken)
            ? new NextStep($"/oauth/authorize?request={pending.Id}")
            : throw OAuthRpcErrors.RequestNotFound();
    }

    private static async Task<DeviceAnswer> GetDeviceAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var session = await http.RequestServices.GetRequiredService<Sessions>().RequireAsync(http, cancellationToken);
        var (device, client) = await FindDeviceAsync(http, session, cancellationToken);
        var grant = await http.RequestServices.GetRequiredService<Grants>().FindAsync(session.Did, client.Did, cancellationToken);
        return new DeviceAnswer(
            AppAnswer.Of(client),
            ScopeAnswer.Of(client, device.Scopes.Where(name => !Holds(grant, name))),
            ScopeAnswer.Of(client, device.Scopes.Where(name => Holds(grant, name))),
            device.CreateTime,
            device.Network);
    }

    private static async Task<NoFields> DecideDeviceAsync(HttpContext http, Decision decision, CancellationToken cancellationToken)
    {
        var services = http.RequestServices;
        var session = await services.GetRequiredService<Sessions>().RequireAsync(http, cancellationToken);
        var (device, client) = await FindDeviceAsync(http, session, cancellationToken);
        var accepted = await services.GetRequiredService<Consent>().AcceptAsync(session, client, device.Scopes, decision, cancellationToken);
        return await services.GetRequiredService<DeviceCodes>().DecideAsync(UserCodeOf(http), session, accepted, cancellationToken)
            ? new NoFields()
            : throw OAuthRpcErrors.RequestNotFound();
    }

    private static bool Holds(Grant? grant, string name) => grant?.Scopes.Contains(name) ?? false;

    private static async Task<(PendingRequest Pending, Client Client)> FindRequestAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var services = http.RequestServices;
        var id = Guid.Parse((string)http.Request.RouteValues["id"]!);
        return BrowserBinding.Find(http) is { } browser
            && await services.GetRequiredService<AuthorizationRequests>().FindAsync(id, browser, cancellationToken) is { } pending
            && await services.GetRequiredService<Clients>().FindAsync(pending.Request.Client, cancellationToken) is { IsDisabled: false } client
            ? (pending, client)
            : throw OAuthRpcErrors.RequestNotFound();
    }

    private static async Task<(DeviceRequest Device, Client Client)> FindDeviceAsync(HttpContext http, Session session, CancellationToken cancellationToken)
    {
        var services = http.RequestServices;
        var found = await services.GetRequiredService<DeviceCodes>().FindAsync(UserCodeOf(http), cancellationToken) is { } device
            && await services.GetRequiredService<Clients>().FindAsync(device.App, cancellationToken) is { IsDisabled: false } client
            ? (device, client)
            : ((DeviceRequest, Client)?)null;
        if (found is null)
        {
            await services.GetRequiredService<Throttle>().TakeAsync(UserCodeRule, session.Did, cancellationToken);
        }

        return found ?? throw OAuthRpcErrors.RequestNotFound();
    }

    private static string UserCodeOf(HttpContext http) => (string)http.Request.RouteValues["userCode"]!;
}

/// <summary>What a person answers an app.</summary>
/// <param name="Allow">Whether it is let in at all.</param>
/// <param name="Scopes">What it is allowed, of what it asked for; what was allowed before stays. All of it when absent.</param>
/// <param name="ExpireTime">When what is allowed ends by itself; absent for never.</param>
internal sealed record Decision(bool Allow, string[]? Scopes, DateTimeOffset? ExpireTime);

/// <summary>Where the browser goes on.</summary>
internal sealed record NextStep(string RedirectUri);

/// <summary>An app, as the person who decides sees it.</summary>
internal sealed record AppAnswer(
    string Did, string DisplayName, string Description, string Host, string HomepageUri, string PolicyUri, string TermsUri, bool Verified,
    DateTimeOffset CreateTime)
{
    /// <summary>What is shown of an app.</summary>
    public static AppAnswer Of(Client client) => new(
        client.Did, client.Manifest.DisplayName, client.Manifest.Description, client.Host, client.Manifest.HomepageUri, client.Manifest.PolicyUri,
        client.Manifest.TermsUri, client.Verified, client.CreateTime);
}

/// <summary>A scope, as the person who decides sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Descriptions">What it is for, by language; empty for scopes that every app may ask for.</param>
/// <param name="Grants">The documents scopes it stands for.</param>
/// <param name="Writes">Whether the app could change documents.</param>
/// <param name="Required">Whether it cannot be left out.</param>
internal sealed record ScopeAnswer(
    string Name, IReadOnlyDictionary<string, string> Descriptions, IReadOnlyList<string> Grants, bool Writes, bool Required)
{
    /// <summary>What is shown of what an app asks for.</summary>
    public static IReadOnlyList<ScopeAnswer> Of(Client client, IEnumerable<string> names) =>
    [
        .. names.Select(name => new ScopeAnswer(
            name,
            ScopeNames.Find(client, name)?.Descriptions.ToDictionary() ?? [],
            [.. ScopeNames.Find(client, name)?.Grants ?? []],
            ScopeNames.Writes(client, name),
            ScopeNames.IsRequired(client, name))),
    ];
}

/// <summary>A request that waits for a person.</summary>
/// <param name="App">Who asks.</param>
/// <param name="Asks">What for, and has not been allowed before.</param>
/// <param name="Granted">What for, and was allowed before.</param>
/// <param name="Prompts">Whether the person must be asked even if there is nothing new.</param>
/// <param name="Reauthenticate">Whether the person must sign in, or sign in again, first.</param>
/// <param name="LoginHint">Whom the app expects.</param>
/// <param name="UiLocales">Languages the app would like, the best first.</param>
internal sealed record RequestAnswer(
    AppAnswer App, IReadOnlyList<ScopeAnswer> Asks, IReadOnlyList<ScopeAnswer> Granted, bool Prompts, bool Reauthenticate, string? LoginHint,
    IReadOnlyList<string>? UiLocales);

/// <summary>A device that waits for a person. Where it is and since when is shown, because its code may have come from a stranger.</summary>
internal sealed record DeviceAnswer(
    AppAnswer App, IReadOnlyList<ScopeAnswer> Asks, IReadOnlyList<ScopeAnswer> Granted, DateTimeOffset CreateTime, string Network);
