using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;

namespace Vibe.Rpc.Listener;

/// <summary>
/// Makes the server report each address once. It acts before any hosted service starts: the web host reads the feature first
/// thing, and prints "Now listening on" from what it read.
/// </summary>
internal sealed class DistinctAddressReport(IServer server) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        if (server.Features.Get<IServerAddressesFeature>() is { } addresses and not DistinctServerAddresses)
        {
            server.Features.Set<IServerAddressesFeature>(new DistinctServerAddresses(addresses));
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
