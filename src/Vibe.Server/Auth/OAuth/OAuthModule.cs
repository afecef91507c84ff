using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Puts the OAuth 2.1 and OpenID Connect provider together.</summary>
internal static class OAuthModule
{
    /// <summary>Adds the provider. Needs the database, a clock, the issuer's name, keys and codec.</summary>
    public static IServiceCollection AddOAuth(this IServiceCollection services, MasterKey masterKey)
    {
        services.AddSingleton(provider => new SigningKeyStore(provider.GetRequiredService<Database>(), masterKey));
        services.AddSingleton<KeyRotation>();
        services.AddHostedService(static provider => provider.GetRequiredService<KeyRotation>());
        services.AddSingleton<Clients>();
        services.AddSingleton<Grants>();
        services.AddSingleton<CodeIssuer>();
        services.AddSingleton<TokenIssuer>();
        return services;
    }
}
