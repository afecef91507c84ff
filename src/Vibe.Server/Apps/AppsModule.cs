using Vibe.Server.Apps.Credentials;
using Vibe.Server.Apps.Manifests;

namespace Vibe.Server.Apps;

/// <summary>Puts the apps feature together.</summary>
internal static class AppsModule
{
    /// <summary>Adds the feature. Needs the database, a clock, the page tokens, the documents feature and the auth options.</summary>
    public static IServiceCollection AddApps(this IServiceCollection services)
    {
        services.AddSingleton<AppStore>();
        services.AddSingleton<AppMemberStore>();
        services.AddSingleton<CredentialStore>();
        services.AddSingleton<AppCredentials>();
        services.AddSingleton<ManifestRules>();
        services.AddSingleton<AppChanges>();
        services.AddSingleton<AppsService>();
        return services;
    }

    /// <summary>Maps the feature's service.</summary>
    public static void MapApps(this IEndpointRouteBuilder endpoints) => endpoints.MapGrpcService<AppsService>();
}
