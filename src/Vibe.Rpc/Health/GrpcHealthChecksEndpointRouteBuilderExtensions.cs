using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Vibe.Rpc.Health;

// The official package's namespace: code written for it compiles unchanged.
namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the health service and its plain HTTP form.</summary>
public static class GrpcHealthChecksEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps grpc.health.v1: <c>Check</c> (NOT_FOUND for an unknown service) and <c>Watch</c> (SERVICE_UNKNOWN for one). Everything is
    /// NOT_SERVING from the moment the server begins to shut down, and watches end after saying so.
    /// </summary>
    /// <param name="endpoints">Where to.</param>
    /// <returns>Adds conventions, for example to allow or require authorization.</returns>
    /// <exception cref="InvalidOperationException"><c>AddGrpcHealthChecks</c> was not called.</exception>
    public static GrpcServiceEndpointConventionBuilder MapGrpcHealthChecksService(this IEndpointRouteBuilder endpoints)
    {
        MonitorOf(endpoints);
        return endpoints.MapGrpcService<HealthService>();
    }

    /// <summary>
    /// Maps <c>GET /healthz</c>, which answers 200 as long as the process answers at all, and <c>GET /readyz</c>, which answers 200
    /// when the server as a whole is serving and 503 with the names of the failing checks when it is not or shuts down. For
    /// orchestrators and load balancers; open to everyone.
    /// </summary>
    /// <param name="endpoints">Where to.</param>
    /// <returns>Adds conventions to both.</returns>
    /// <exception cref="InvalidOperationException"><c>AddGrpcHealthChecks</c> was not called.</exception>
    public static IEndpointConventionBuilder MapHealthEndpoints(this IEndpointRouteBuilder endpoints)
    {
        var monitor = MonitorOf(endpoints);
        var group = endpoints.MapGroup("").AllowAnonymous();
        group.MapGet("/healthz", static http => AnswerAsync(http, StatusCodes.Status200OK, "ok"));
        group.MapGet("/readyz", async http =>
        {
            var report = await monitor.ReportAsync(http.RequestAborted);
            if (monitor.IsServing(report))
            {
                await AnswerAsync(http, StatusCodes.Status200OK, "ready");
                return;
            }

            var failing = report.Entries.Where(entry => entry.Value.Status == HealthStatus.Unhealthy).Select(entry => entry.Key);
            await AnswerAsync(
                http, StatusCodes.Status503ServiceUnavailable, monitor.IsDraining ? "shutting down" : $"not ready: {string.Join(", ", failing)}");
        });
        return group;
    }

    private static HealthMonitor MonitorOf(IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        return endpoints.ServiceProvider.GetService<HealthMonitor>()
            ?? throw new InvalidOperationException("Call services.AddGrpcHealthChecks() before mapping health.");
    }

    private static Task AnswerAsync(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain";
        http.Response.Headers.CacheControl = "no-store";
        return http.Response.WriteAsync(text, http.RequestAborted);
    }
}
