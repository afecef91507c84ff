using Microsoft.Extensions.DependencyInjection.Extensions;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Json;
using Vibe.Rpc.Reflection;

// The official package's namespace: code written for it compiles unchanged.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers server reflection.</summary>
public static class GrpcReflectionServicesExtensions
{
    /// <summary>
    /// Adds what <c>MapGrpcReflectionService</c> needs. A <see cref="ProtoSchema"/> among the services is what clients see; without
    /// one they see the descriptors of the generated code.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <returns><paramref name="services"/>.</returns>
    public static IServiceCollection AddGrpcReflection(this IServiceCollection services)
    {
        services.AddGrpc();
        services.TryAddSingleton(provider =>
            new ReflectionAnswers(provider.GetRequiredService<RpcMethodRegistry>(), provider.GetService<ProtoSchema>()));
        services.TryAddSingleton<ReflectionService>();
        services.TryAddSingleton<ReflectionV1AlphaService>();
        return services;
    }
}
