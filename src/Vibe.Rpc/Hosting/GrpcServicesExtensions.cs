using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Vibe.Rpc.Binding;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Hosting;
using Vibe.Rpc.Json;
using Vibe.Rpc.Protocols;
using Vibe.Rpc.Rest;
using Vibe.Rpc.Telemetry;

// The official package's namespace: code written for it compiles unchanged.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the RPC server.</summary>
public static class GrpcServicesExtensions
{
    /// <summary>Adds what <c>MapGrpcService</c> needs. May be called more than once.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Options for all services; null for the defaults.</param>
    public static IGrpcServerBuilder AddGrpc(this IServiceCollection services, Action<GrpcServiceOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddRouting();
        services.AddMetrics();
        services.AddOptions<RpcServerLimits>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RpcServerLimits>, RpcServerLimitsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new ServiceLifetimes(services));
        services.TryAddSingleton(provider => new JsonCodec(provider.GetService<ProtoSchema>()));
        services.TryAddSingleton<CallDrain>();
        services.TryAddSingleton<RpcTelemetry>();
        services.TryAddSingleton<RpcServer>();
        services.TryAddSingleton<RpcMethodRegistry>();
        services.TryAddSingleton<ServiceMapper>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IRpcEndpointSource, ProtocolEndpoints>());
        services.TryAddSingleton<RestServer>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IRpcEndpointSource, RestEndpointSource>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, RestMatcherPolicy>());
        if (configure is not null)
        {
            services.Configure(configure);
        }

        return new GrpcServerBuilder(services);
    }

    /// <summary>Sets the options of one service.</summary>
    /// <typeparam name="TService">The class given to <c>MapGrpcService</c>.</typeparam>
    /// <param name="builder">The builder that <c>AddGrpc</c> returned.</param>
    /// <param name="configure">Changes the copy of the global options.</param>
    public static IGrpcServerBuilder AddServiceOptions<TService>(
        this IGrpcServerBuilder builder, Action<GrpcServiceOptions<TService>> configure)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Configure(configure);
        return builder;
    }
}
