using Grpc.AspNetCore.HealthChecks;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Vibe.Rpc.Health;

// The official package's namespace: code written for it compiles unchanged.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the health service.</summary>
public static class GrpcHealthChecksServicesExtensions
{
    /// <summary>
    /// Adds what <c>MapGrpcHealthChecksService</c> and <c>MapHealthEndpoints</c> need. The health of a service is that of ASP.NET
    /// Core's health checks: add them to the returned builder. Degraded counts as serving.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Which checks count for which service, and how often they run; null for the defaults.</param>
    public static IHealthChecksBuilder AddGrpcHealthChecks(this IServiceCollection services, Action<GrpcHealthChecksOptions>? configure = null)
    {
        services.AddGrpc();
        services.TryAddSingleton<HealthMonitor>();
        services.TryAddSingleton<HealthService>();
        services.AddOptions<GrpcHealthChecksOptions>()
            .Validate(options => options.WatchPeriod > TimeSpan.Zero, "WatchPeriod must be positive.")
            .Validate(options => options.CheckTimeout > TimeSpan.Zero, "CheckTimeout must be positive.")
            .ValidateOnStart();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        return services.AddHealthChecks();
    }
}
