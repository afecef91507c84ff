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
        catch (DatabaseException exception)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}
