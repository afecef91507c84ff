using Microsoft.Extensions.DependencyInjection;

namespace Vibe.Rpc.Binding;

/// <summary>Remembers how services were registered: a provider itself does not tell.</summary>
internal sealed class ServiceLifetimes(IServiceCollection services)
{
    /// <summary>The lifetime of the registration that wins; null when there is none.</summary>
    public ServiceLifetime? Of(Type type) => services.LastOrDefault(service => !service.IsKeyedService && service.ServiceType == type)?.Lifetime;
}
