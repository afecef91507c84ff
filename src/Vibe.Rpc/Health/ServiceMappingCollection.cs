using System.Collections;

// The official package's namespace: code written for it compiles unchanged.
namespace Grpc.AspNetCore.HealthChecks;

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
