using System.Collections;
using Microsoft.Extensions.Diagnostics.HealthChecks;

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

/// <summary>Which health checks count for which service name.</summary>
public sealed class ServiceMappingCollection : IReadOnlyCollection<ServiceMapping>
{
    private readonly Dictionary<string, ServiceMapping> _mappings = new(StringComparer.Ordinal) { [""] = new("", static _ => true) };

    /// <inheritdoc/>
    public int Count => _mappings.Count;

    /// <summary>Sets which checks count for a service. With none that match, the service is serving.</summary>
    /// <param name="name">The name clients ask for, usually the service's full name; <c>""</c> is the server as a whole.</param>
    /// <param name="predicate">Whether a check counts.</param>
    public void Map(string name, Func<HealthCheckMapContext, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(predicate);
        _mappings[name] = new(name, predicate);
    }

    /// <inheritdoc/>
    public IEnumerator<ServiceMapping> GetEnumerator() => _mappings.Values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal ServiceMapping? Find(string name) => _mappings.GetValueOrDefault(name);
}

/// <summary>Which health checks count for one service name.</summary>
/// <param name="Name">The name clients ask for.</param>
/// <param name="Predicate">Whether a check counts.</param>
public sealed record ServiceMapping(string Name, Func<HealthCheckMapContext, bool> Predicate);

/// <summary>A health check, as <see cref="ServiceMappingCollection.Map"/> sees it.</summary>
/// <param name="name">The name it was registered with.</param>
/// <param name="tags">The tags it was registered with.</param>
public sealed class HealthCheckMapContext(string name, IEnumerable<string> tags)
{
    /// <summary>The name the check was registered with.</summary>
    public string Name { get; } = name;

    /// <summary>The tags the check was registered with.</summary>
    public IEnumerable<string> Tags { get; } = tags;

    internal static HealthCheckMapContext Of(KeyValuePair<string, HealthReportEntry> result) => new(result.Key, result.Value.Tags);
}
