using Grpc.Core;
using Grpc.Health.V1;
using Vibe.Rpc.Calls;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Vibe.Rpc.Health;

/// <summary>grpc.health.v1, by the rules of grpc/doc/health-checking.md.</summary>
internal sealed class HealthService(HealthMonitor monitor) : Grpc.Health.V1.Health.HealthBase
{
    public override async Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        var status = monitor.StatusOf(request.Service, await monitor.ReportAsync(context.CancellationToken));
        return status == ServingStatus.ServiceUnknown
            ? throw RpcErrors.Create(StatusCode.NotFound, "There is no service of that name.", "SERVICE_UNKNOWN", WireErrors.Domain)
            : new HealthCheckResponse { Status = status };
    }

    /// <summary>Sends the status at once and then each change. An unknown service is SERVICE_UNKNOWN, and may appear later.</summary>
    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        using var watching = monitor.Watch();
        await monitor.ReportAsync(context.CancellationToken);
        ServingStatus? sent = null;
        while (true)
        {
            // Taken before the status is read: a change in between completes it, and none is missed.
            var nextChange = monitor.NextChange;
            var status = monitor.StatusOf(request.Service, await monitor.LatestAsync(context.CancellationToken));
            if (status != sent)
            {
                await responseStream.WriteAsync(new HealthCheckResponse { Status = status }, context.CancellationToken);
                sent = status;
            }

            if (monitor.IsDraining)
            {
                // The last word; the client finds another server.
                return;
            }

            await nextChange.WaitAsync(context.CancellationToken);
        }
    }
}
