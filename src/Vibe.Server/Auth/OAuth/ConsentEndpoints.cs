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
            session is null ? null : AccountAnswer.Of(session),
            session is null || services.GetRequiredService<AuthorizationFlow>().MustSignIn(pending, session),
            pending.Request.LoginHint,
            pending.Request.UiLocales,
            pending.Request.Prompt,
            ScopeAnswer.Of(client, pending.Request.Scopes, grant));
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
            AppAnswer.Of(client), AccountAnswer.Of(session), device.Network, device.CreateTime, device.ExpireTime, ScopeAnswer.Of(client, device.Scopes, grant));
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
/// <param name="Scopes">What it is allowed, of what it asked for; names that stay as they were may be left out.</param>
/// <param name="ExpireTime">When what is allowed now ends by itself; null for never.</param>
internal sealed record Decision(bool Allow, string[]? Scopes, DateTimeOffset? ExpireTime);

/// <summary>Where the browser goes on.</summary>
internal sealed record NextStep(string RedirectUri);

/// <summary>An app, as the person who decides sees it.</summary>
internal sealed record AppAnswer(
    string Did, string Name, string DisplayName, string Description, string Host, bool Verified, DateTimeOffset CreateTime, string HomepageUri,
    string PolicyUri, string TermsUri)
{
    /// <summary>What is shown of an app.</summary>
    public static AppAnswer Of(Client client) => new(
        client.Did, client.Name, client.Manifest.DisplayName, client.Manifest.Description, client.Host, client.Verified, client.CreateTime,
        client.Manifest.HomepageUri, client.Manifest.PolicyUri, client.Manifest.TermsUri);
}

/// <summary>A scope, as the person who decides sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Descriptions">What it is for, by language; empty for scopes that every app may ask for.</param>
/// <param name="Grants">The documents scopes it stands for.</param>
/// <param name="Writes">Whether the app could change documents.</param>
/// <param name="Required">Whether it cannot be left out.</param>
/// <param name="Granted">Whether the person has allowed it before.</param>
internal sealed record ScopeAnswer(
    string Name, IReadOnlyDictionary<string, string> Descriptions, IReadOnlyList<string> Grants, bool Writes, bool Required, bool Granted)
{
    /// <summary>What is shown of what an app asks for.</summary>
    public static IReadOnlyList<ScopeAnswer> Of(Client client, IReadOnlyList<string> names, Grant? grant) =>
    [
        .. names.Select(name => new ScopeAnswer(
            name,
            ScopeNames.Find(client, name)?.Descriptions.ToDictionary() ?? [],
            [.. ScopeNames.Find(client, name)?.Grants ?? []],
            ScopeNames.Writes(client, name),
            ScopeNames.IsRequired(client, name),
            grant?.Scopes.Contains(name) ?? false)),
    ];
}

/// <summary>A request that waits for a person.</summary>
internal sealed record RequestAnswer(
    AppAnswer App, AccountAnswer? Account, bool MustSignIn, string? LoginHint, string? UiLocales, IReadOnlyList<string> Prompt,
    IReadOnlyList<ScopeAnswer> Scopes);

/// <summary>A device that waits for a person. Where it is and since when is shown, because its code may have come from a stranger.</summary>
internal sealed record DeviceAnswer(
    AppAnswer App, AccountAnswer Account, string Network, DateTimeOffset CreateTime, DateTimeOffset ExpireTime, IReadOnlyList<ScopeAnswer> Scopes);
