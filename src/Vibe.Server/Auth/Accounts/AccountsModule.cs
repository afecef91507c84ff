namespace Vibe.Server.Auth.Accounts;

/// <summary>Puts accounts together: sign-in, sessions, and what people see of their own account.</summary>
internal static class AccountsModule
{
    /// <summary>Adds them. Needs the database, a clock and the pipeline; <see cref="AccountOptions"/> come from <c>Vibe:Accounts</c>.</summary>
    public static IServiceCollection AddAccounts(this IServiceCollection services)
    {
        services.AddSingleton(static provider =>
            provider.GetRequiredService<IConfiguration>().GetSection("Vibe:Accounts").Get<AccountOptions>() ?? new AccountOptions());
        services.AddSingleton<Audit>();
        services.AddSingleton<Throttle>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<AccountUpkeep>();
        services.AddHostedService(static provider => provider.GetRequiredService<AccountUpkeep>());
        return services;
    }

    /// <summary>Maps the endpoints of the hosted pages.</summary>
    public static void MapAccounts(this IEndpointRouteBuilder endpoints) => endpoints.MapSessionEndpoints();
}
