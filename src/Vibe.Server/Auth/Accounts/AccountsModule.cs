using Microsoft.AspNetCore.Identity;
using Vibe.Server.Auth.Accounts.Mail;

namespace Vibe.Server.Auth.Accounts;

/// <summary>Puts accounts together: sign-in, sessions, and what people see of their own account.</summary>
internal static class AccountsModule
{
    /// <summary>Adds them. Needs the database, a clock and the pipeline; <see cref="AccountOptions"/> come from <c>Vibe:Accounts</c>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="dataDirectory">Where mails are written when no SMTP server is named.</param>
    public static IServiceCollection AddAccounts(this IServiceCollection services, string dataDirectory)
    {
        services.AddSingleton(static provider =>
            provider.GetRequiredService<IConfiguration>().GetSection("Vibe:Accounts").Get<AccountOptions>() ?? new AccountOptions());
        services.AddSingleton<Audit>();
        services.AddSingleton<Throttle>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<AttemptLimits>();
        services.AddSingleton<AccountStore>();
        services.AddSingleton<Challenges>();
        services.AddSingleton<Passwords>();
        services.AddSingleton<PasswordSignIn>();
        services.AddSingleton<PasskeyStore>();
        services.AddSingleton<Passkeys>();
        services.AddSingleton<MailLinks>();
        services.AddSingleton<RecoveryCodes>();
        services.AddSingleton<Notices>();
        services.AddSingleton<AccountTokens>();
        services.AddSingleton<AccountDeletion>();
        services.AddSingleton<AccountExport>();
        services.AddSingleton<AccountService>();
        services.AddSingleton<AuthGauges>();
        services.AddMail(dataDirectory);
        services.AddPasskeyHandler();
        services.AddAccountSweeps();
        services.AddSingleton<AccountUpkeep>();
        services.AddHostedService(static provider => provider.GetRequiredService<AccountUpkeep>());
        return services;
    }

    /// <summary>Maps the endpoints of the hosted pages.</summary>
    public static void MapAccounts(this IEndpointRouteBuilder endpoints)
    {
        endpoints.ServiceProvider.GetRequiredService<AuthGauges>();
        AuthMeters.Zero();
        endpoints.MapGrpcService<AccountService>();
        endpoints.MapSessionEndpoints();
        endpoints.MapSignInEndpoints();
    }

    private static void AddMail(this IServiceCollection services, string dataDirectory)
    {
        services.AddSingleton(static provider =>
            provider.GetRequiredService<IConfiguration>().GetSection("Vibe:Mail").Get<MailOptions>() ?? new MailOptions());
        services.AddSingleton<IMailTransport>(provider => provider.GetRequiredService<MailOptions>() switch
        {
            { Host.Length: > 0 } smtp => new SmtpTransport(smtp),
            var options => new FolderTransport(
                options.Folder.Length > 0 ? options.Folder : Path.Combine(dataDirectory, "mail"), provider.GetRequiredService<TimeProvider>()),
        });
        services.AddSingleton<MailQueue>();
        services.AddHostedService(static provider => provider.GetRequiredService<MailQueue>());
    }

    // Not SignInManager: it keeps challenges in cookies of its own and knows other sessions than ours.
    private static void AddPasskeyHandler(this IServiceCollection services)
    {
        services.AddIdentityCore<VibeUser>().AddUserStore<PasskeyUserStore>();
        services.AddScoped<IPasskeyHandler<VibeUser>, PasskeyHandler<VibeUser>>();
        services.AddOptions<IdentityPasskeyOptions>().Configure<AuthOptions>(static (options, auth) =>
        {
            // The default asks the request for its origin, which a relaying server would forge.
            options.ValidateOrigin = context => ValueTask.FromResult(!context.CrossOrigin && context.Origin == auth.Origin);
            options.ServerDomain = new Uri(auth.Issuer).Host;
            options.UserVerificationRequirement = "required";
            options.ResidentKeyRequirement = "required";
            options.AttestationConveyancePreference = "none";
        });
    }
}
