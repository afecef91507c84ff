using Microsoft.Extensions.Diagnostics.HealthChecks;

// The official package's namespace: code written for it compiles unchanged.
namespace Grpc.AspNetCore.HealthChecks;

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
