using System.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Hosting;
using Vibe.Rpc.Telemetry;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Vibe.Rpc.Binding;

/// <summary>Maps the methods of a service class to endpoints. Everything that can be wrong with the class fails here, at start-up.</summary>
internal sealed class ServiceMapper(
    RpcServer server, RpcMethodRegistry registry, ServiceLifetimes lifetimes, IEnumerable<IRpcEndpointSource> sources, IServiceProvider services)
{
    public List<IEndpointConventionBuilder> Map<TService>(IEndpointRouteBuilder endpoints)
        where TService : class
    {
        var conventions = new List<IEndpointConventionBuilder>();
        foreach (var method in Bind<TService>())
        {
            registry.Add(method);
            foreach (var source in sources)
            {
                conventions.AddRange(source.Map(endpoints, method).Select(endpoint => Describe(endpoint, method)));
            }

            RpcLog.Mapped(server.Log, method.FullName);
        }

        return conventions;
    }

    private static IEndpointConventionBuilder Describe(IEndpointConventionBuilder endpoint, RpcMethod method)
    {
        endpoint.Add(builder =>
        {
            foreach (var item in method.EndpointMetadata)
            {
                builder.Metadata.Add(item);
            }

            builder.Metadata.Add(method);
        });
        return endpoint;
    }

    private List<RpcMethod> Bind<TService>()
        where TService : class
    {
        var (bindType, bindMethod) = FindBindMethod(typeof(TService));
        var descriptor = bindType.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as ServiceDescriptor
            ?? throw new InvalidOperationException($"{bindType} has no static property Descriptor: it is no generated protobuf service.");
        var options = OptionsOf<TService>();
        server.Json.AddTypes(descriptor.File);
        var lifetime = lifetimes.Of(typeof(TService));
        var interceptors = InterceptorChain.From(options.Interceptors, services, lifetimes);
        var binder = new MethodBinder<TService>(server, descriptor, options, new(isRegistered: lifetime is not null), interceptors);

        // A singleton's delegates are bound once; null makes the generated code bind none.
        object? instance = lifetime == ServiceLifetime.Singleton ? services.GetRequiredService<TService>() : null;
        bindMethod.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [binder, instance], null);
        return binder.Methods;
    }

    private GrpcServiceOptions<TService> OptionsOf<TService>()
        where TService : class
    {
        var options = new GrpcServiceOptions<TService>();
        services.GetRequiredService<IOptions<GrpcServiceOptions>>().Value.CopyTo(options);
        foreach (var configure in services.GetServices<IConfigureOptions<GrpcServiceOptions<TService>>>())
        {
            configure.Configure(options);
        }

        return options;
    }

    private static (Type Type, MethodInfo Method) FindBindMethod(Type service)
    {
        for (var type = service; type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is not { } attribute)
            {
                continue;
            }

            var method = attribute.BindType.GetMethods(BindingFlags.Public | BindingFlags.Static).FirstOrDefault(candidate =>
                candidate.Name == attribute.BindMethodName
                && candidate.GetParameters() is [{ ParameterType: var binder }, { ParameterType: var instance }]
                && binder == typeof(ServiceBinderBase) && instance.IsAssignableFrom(service));
            return (attribute.BindType, method ?? throw new InvalidOperationException(
                $"{attribute.BindType} has no {attribute.BindMethodName}(ServiceBinderBase, …) for {service}."));
        }

        throw new InvalidOperationException($"{service} does not derive from a generated service base class.");
    }
}
