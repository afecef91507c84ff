using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Rpc.Calls;

namespace Vibe.Rpc.Binding;

/// <summary>Gives each call its instance of a service: the registered one, or a new one from the call's services.</summary>
internal sealed class ServiceActivator<TService>(bool isRegistered) : CallActivator<TService>(makes: !isRegistered)
    where TService : class
{
    private readonly ObjectFactory<TService>? _create = isRegistered ? null : ActivatorUtilities.CreateFactory<TService>([]);

    protected override TService Get(ServerCallContext context)
    {
        var services = ((RpcCall)context).HttpContext.RequestServices;
        return _create is null ? services.GetRequiredService<TService>() : _create(services, []);
    }
}
