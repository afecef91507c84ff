using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Rpc.Binding;

// The official package's namespace: code written for it compiles unchanged.
namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps services to endpoints.</summary>
public static class GrpcEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps every method of a service: <c>POST /package.Service/Method</c> for gRPC, gRPC-Web and Connect, the same path with GET for
    /// methods without side effects, and the REST paths of <c>google.api.http</c>. A service registered as a singleton is shared;
    /// one registered otherwise comes from each call's services; one not registered is made per call and disposed after it.
    /// </summary>
    /// <typeparam name="TService">A class that derives from a generated service base class.</typeparam>
    /// <param name="endpoints">Where to.</param>
    /// <returns>Adds conventions, such as <c>RequireAuthorization</c>, to all the service's endpoints.</returns>
    /// <exception cref="InvalidOperationException">The class is no service, or <c>AddGrpc</c> was not called.</exception>
    public static GrpcServiceEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder endpoints)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var mapper = endpoints.ServiceProvider.GetService<ServiceMapper>()
            ?? throw new InvalidOperationException("Call services.AddGrpc() before MapGrpcService.");
        return new(mapper.Map<TService>(endpoints));
    }
}

/// <summary>Adds conventions to all endpoints of a service.</summary>
public sealed class GrpcServiceEndpointConventionBuilder : IEndpointConventionBuilder
{
    private readonly List<IEndpointConventionBuilder> _endpoints;

    internal GrpcServiceEndpointConventionBuilder(List<IEndpointConventionBuilder> endpoints) => _endpoints = endpoints;

    /// <inheritdoc/>
    public void Add(Action<EndpointBuilder> convention) => _endpoints.ForEach(endpoint => endpoint.Add(convention));

    /// <inheritdoc/>
    public void Finally(Action<EndpointBuilder> finallyConvention) => _endpoints.ForEach(endpoint => endpoint.Finally(finallyConvention));
}
