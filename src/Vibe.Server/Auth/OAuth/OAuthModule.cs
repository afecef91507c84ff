using Microsoft.AspNetCore.Cors.Infrastructure;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.FedCm;
using Vibe.Server.Auth.Pages;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Puts the OAuth 2.1 and OpenID Connect provider together.</summary>
internal static class OAuthModule
{
    /// <summary>Adds the provider. Needs the database, a clock, accounts, the issuer's name, keys and codec.</summary>
    public static IServiceCollection AddOAuth(this IServiceCollection services, MasterKey masterKey)
    {
        services.AddSingleton(provider => new SigningKeyStore(provider.GetRequiredService<Database>(), masterKey));
        services.AddSingleton<KeyRotation>();
        services.AddHostedService(static provider => provider.GetRequiredService<KeyRotation>());
        services.AddSingleton<Clients>();
        services.AddSingleton(provider => new ClientChallenges(masterKey.Derive("client challenge"), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ClientAssertions>();
        services.AddSingleton<ClientAuthentication>();
        services.AddSingleton<Grants>();
        services.AddSingleton<Consent>();
        services.AddSingleton<AuthorizationParameters>();
        services.AddSingleton<AuthorizationRequests>();
        services.AddSingleton<AuthorizationFlow>();
        services.AddSingleton<CodeIssuer>();
        services.AddSingleton<Codes>();
        services.AddSingleton<TokenFamilies>();
        services.AddSingleton<RefreshTokens>();
        services.AddSingleton<DeviceCodes>();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<TokenGrants>();
        services.AddSingleton<TokenLookup>();
        services.AddSingleton<FedCmFlow>();
        services.AddSingleton<HostedPages>();
        services.AddSingleton<AuthService>();
        services.AddSingleton<ICorsPolicyProvider, OAuthCors>();
        services.AddOAuthSweeps();
        return services;
    }

    /// <summary>Maps the endpoints.</summary>
    public static void MapOAuth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapMetadataEndpoints();
        endpoints.MapAuthorizeEndpoints();
        endpoints.MapConsentEndpoints();
        endpoints.MapDeviceEndpoints();
        endpoints.MapTokenEndpoints();
        endpoints.MapUserInfoEndpoints();
        endpoints.MapLogoutEndpoints();
        endpoints.MapFedCm();
        endpoints.ServiceProvider.GetRequiredService<HostedPages>().Map(endpoints);
        endpoints.MapGrpcService<AuthService>();
    }
}
