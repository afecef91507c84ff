using Vibe.Server.Auth;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Kernel;

namespace Vibe.Server.Pipeline;

/// <summary>Registers the pipeline.</summary>
internal static class CallPipelineServices
{
    /// <summary>Adds the stages, with the policies of all services of the contract.</summary>
    /// <exception cref="InvalidOperationException">A method says no permission.</exception>
    public static IServiceCollection AddCallPipeline(this IServiceCollection services, AuthOptions auth, SigningKeys keys)
    {
        services.AddSingleton(auth);
        services.AddSingleton(keys);
        services.AddSingleton<TokenCodec>();
        services.AddSingleton<RevocationStore>();
        services.AddSingleton<RevocationSet>();
        services.AddSingleton<ICallerAccess>(static provider => provider.GetRequiredService<RevocationSet>());
        services.AddSingleton<Revoker>();
        services.AddSingleton<RevocationReader>();
        services.AddHostedService(static provider => provider.GetRequiredService<RevocationReader>());
        services.AddExpiredRows("revocations", static (_, limit) => RevocationStore.DeleteExpired(limit));
        services.AddSingleton<CallerCache>();
        services.AddSingleton<DpopProofs>();
        services.AddSingleton(provider => provider.GetRequiredService<IConfiguration>().GetSection("Vibe:Limits").Get<LimitOptions>() ?? new LimitOptions());
        services.AddSingleton(MethodPolicy.ReadAll(
            [
                Vibe.Documents.V1.DocumentsService.Descriptor, Vibe.Realtime.V1.RealtimeService.Descriptor, Vibe.Apps.V1.AppsService.Descriptor,
                Vibe.Auth.V1.AuthService.Descriptor, Vibe.Auth.V1.AccountService.Descriptor,
                Vibe.Auth.V1.CertificatesService.Descriptor,
            ]));
        services.AddSingleton<Authenticate>();
        services.AddSingleton<Limit>();
        services.AddSingleton<Authorize>();
        services.AddSingleton(provider =>
            provider.GetRequiredService<IConfiguration>().GetSection("Vibe:Consistency").Get<ConsistencyOptions>() ?? new ConsistencyOptions());
        services.AddSingleton<Consistency>();
        services.AddHostedService(static provider => provider.GetRequiredService<Consistency>());
        services.AddSingleton<CallPipeline>();
        return services;
    }
}
