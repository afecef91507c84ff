using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Rpc.Reflection;

// The official package's namespace: code written for it compiles unchanged.
namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps server reflection.</summary>
public static class GrpcReflectionEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps grpc.reflection v1 and v1alpha, by which tools such as grpcurl learn the services of a server. It tells strangers the
    /// whole contract: require authorization where that matters.
    /// </summary>
    /// <param name="endpoints">Where to.</param>
    /// <returns>Adds conventions to the endpoints of both versions.</returns>
    /// <exception cref="InvalidOperationException"><c>AddGrpcReflection</c> was not called.</exception>
    public static IEndpointConventionBuilder MapGrpcReflectionService(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.ServiceProvider.GetService<ReflectionAnswers>() is null)
        {
            throw new InvalidOperationException("Call services.AddGrpcReflection() before MapGrpcReflectionService.");
        }

        var group = endpoints.MapGroup("");
        group.MapGrpcService<ReflectionService>();
        group.MapGrpcService<ReflectionV1AlphaService>();
        return group;
    }
}
