// The official package's namespace: code written for it compiles unchanged.
namespace Grpc.AspNetCore.HealthChecks;

/// <summary>How ASP.NET Core's health checks become the health of services.</summary>
public sealed class GrpcHealthChecksOptions
{
    /// <summary>
    /// Which health checks count for which service name. Default: all of them for <c>""</c>, the server as a whole. A mapped service
    /// that is not listed has the health of <c>""</c>.
    /// </summary>
    public ServiceMappingCollection Services { get; } = new();

    /// <summary>
    /// How long a result is reused by <c>Check</c> and <c>/readyz</c>, so that a flood of probes does not become a flood of checks.
    /// Default 1 s; zero or less runs the checks for each call that does not find them running.
    /// </summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the checks run while somebody watches. Default 5 s. Must be positive.</summary>
    public TimeSpan WatchPeriod { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long all checks together may take before the server counts as not serving. Default 10 s. Must be positive.</summary>
    public TimeSpan CheckTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
