using Microsoft.Extensions.Diagnostics.HealthChecks;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Hosting;

/// <summary>Ready means: the database answers a request like any other.</summary>
internal sealed class DatabaseHealth(Database database) : IHealthCheck
{
    /// <inheritdoc />
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await database.QueryFirstAsync(RequestContext.Anonymous, $"select 1", static row => row.GetInt32(0), cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (DatabaseException exception) when (exception.Kind is DatabaseErrorKind.TooManyConnections)
        {
            // It is there, and this server is busy with it. To be taken for broken now would only move the load to the other servers.
            return HealthCheckResult.Degraded(exception.Message);
        }
        catch (DatabaseException exception)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}
