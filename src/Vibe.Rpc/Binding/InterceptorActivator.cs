using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Rpc.Calls;

namespace Vibe.Rpc.Binding;

/// <summary>Finds the interceptor for a call: a registered singleton once for all, anything else per call.</summary>
internal sealed class InterceptorActivator : CallActivator<Interceptor>
{
    private readonly InterceptorRegistration _registration;
    private readonly ObjectFactory? _create;

    private InterceptorActivator(InterceptorRegistration registration, Interceptor? shared, ObjectFactory? create)
        : base(makes: create is not null)
    {
        _registration = registration;
        Shared = shared;
        _create = create;
    }

    /// <summary>The instance that all calls share; null when each call has its own.</summary>
    public Interceptor? Shared { get; }

    public static InterceptorActivator For(InterceptorRegistration registration, IServiceProvider services, ServiceLifetimes lifetimes) =>
        lifetimes.Of(registration.Type) switch
        {
            ServiceLifetime.Singleton => new(registration, (Interceptor)services.GetRequiredService(registration.Type), null),
            null => new(registration, null, ActivatorUtilities.CreateFactory(
                registration.Type, [.. registration.Arguments.Select(argument => argument.GetType())])),
            _ => new(registration, null, null),
        };

    protected override Interceptor Get(ServerCallContext context)
    {
        var services = ((RpcCall)context).HttpContext.RequestServices;
        return (Interceptor)(_create is null
            ? services.GetRequiredService(_registration.Type)
            : _create(services, [.. _registration.Arguments]));
    }
}
