using System.Net;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Vibe.Server.Auth.Identity;

/// <summary>Puts DIDs and certificates together.</summary>
internal static class IdentityModule
{
    /// <summary>Adds them. Needs the database, a clock, the page tokens, revocations and the audit log.</summary>
    public static IServiceCollection AddIdentity(this IServiceCollection services, MasterKey master)
    {
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<DidKeys>(provider, master));
        services.AddSingleton<DidSubjects>();
        services.AddSingleton<DidDocuments>();
        services.TryAddSingleton(static provider => new GuardedFetcher(
            provider.GetRequiredService<AuthOptions>(), Dns.GetHostAddressesAsync, GuardedFetcher.Patience));
        services.AddSingleton<DidResolver>();
        services.AddSingleton<StatusLists>();
        services.AddSingleton<CertificateStore>();
        services.AddSingleton<CertificateVerifier>();
        services.AddSingleton<ICallerRights, StoredCallerRights>();
        services.AddSingleton<CertificatesService>();
        return services;
    }

    /// <summary>Maps the service, and what others read without it.</summary>
    public static void MapIdentity(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<CertificatesService>();
        endpoints.MapIdentityEndpoints();
    }
}
