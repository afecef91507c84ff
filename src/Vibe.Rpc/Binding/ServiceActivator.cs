using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Rpc.Calls;

namespace Vibe.Rpc.Binding;

/// <summary>Gives each call its instance of a service: the registered one, or a new one from the call's services, disposed after it.</summary>
internal sealed class ServiceActivator<TService>(bool isRegistered)
    where TService : class
{
    private readonly ObjectFactory<TService>? _create = isRegistered ? null : ActivatorUtilities.CreateFactory<TService>([]);

    public async Task<TResult> RunAsync<TResult>(ServerCallContext context, Func<TService, Task<TResult>> invoke)
    {
        var service = Get(context);
        try
        {
            return await invoke(service);
        }
        finally
        {
            await ReleaseAsync(service);
        }
    }

    public async Task RunAsync(ServerCallContext context, Func<TService, Task> invoke)
    {
        var service = Get(context);
        try
        {
            await invoke(service);
        }
        finally
        {
            await ReleaseAsync(service);
        }
    }

    private TService Get(ServerCallContext context)
    {
        var services = ((RpcCall)context).HttpContext.RequestServices;
        return _create is null ? services.GetRequiredService<TService>() : _create(services, []);
    }

    private ValueTask ReleaseAsync(TService service)
    {
        // What the container made, the container disposes.
        switch (service)
        {
            case IAsyncDisposable disposable when _create is not null:
                return disposable.DisposeAsync();
            case IDisposable disposable when _create is not null:
                disposable.Dispose();
                break;
        }

        return default;
    }
}
