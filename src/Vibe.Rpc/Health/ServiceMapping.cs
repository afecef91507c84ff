// The official package's namespace: code written for it compiles unchanged.
namespace Grpc.AspNetCore.HealthChecks;

/// <summary>Which health checks count for one service name.</summary>
/// <param name="Name">The name clients ask for.</param>
/// <param name="Predicate">Whether a check counts.</param>
public sealed record ServiceMapping(string Name, Func<HealthCheckMapContext, bool> Predicate);
