using Grpc.AspNetCore.Server;
using Grpc.Core;

namespace Vibe.Rpc.Binding;

/// <summary>Wraps a handler in its interceptors, once, at start-up; the first registration ends up outermost.</summary>
internal sealed class InterceptorChain(IReadOnlyList<InterceptorActivator> interceptors)
{
    public static InterceptorChain From(IEnumerable<InterceptorRegistration> registrations, IServiceProvider services, ServiceLifetimes lifetimes) =>
        new([.. registrations.Select(registration => InterceptorActivator.For(registration, services, lifetimes))]);

    public UnaryServerMethod<TRequest, TResponse> Around<TRequest, TResponse>(UnaryServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class
    {
        foreach (var interceptor in interceptors.Reverse())
        {
            var inner = handler;
            handler = interceptor.Shared is { } shared
                ? (request, context) => shared.UnaryServerHandler(request, context, inner)
                : (request, context) => interceptor.RunAsync(context, own => own.UnaryServerHandler(request, context, inner));
        }

        return handler;
    }

    public ClientStreamingServerMethod<TRequest, TResponse> Around<TRequest, TResponse>(ClientStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class
    {
        foreach (var interceptor in interceptors.Reverse())
        {
            var inner = handler;
            handler = interceptor.Shared is { } shared
                ? (requests, context) => shared.ClientStreamingServerHandler(requests, context, inner)
                : (requests, context) => interceptor.RunAsync(context, own => own.ClientStreamingServerHandler(requests, context, inner));
        }

        return handler;
    }

    public ServerStreamingServerMethod<TRequest, TResponse> Around<TRequest, TResponse>(ServerStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class
    {
        foreach (var interceptor in interceptors.Reverse())
        {
            var inner = handler;
            handler = interceptor.Shared is { } shared
                ? (request, responses, context) => shared.ServerStreamingServerHandler(request, responses, context, inner)
                : (request, responses, context) =>
                    interceptor.RunAsync(context, own => own.ServerStreamingServerHandler(request, responses, context, inner));
        }

        return handler;
    }

    public DuplexStreamingServerMethod<TRequest, TResponse> Around<TRequest, TResponse>(DuplexStreamingServerMethod<TRequest, TResponse> handler)
        where TRequest : class
        where TResponse : class
    {
        foreach (var interceptor in interceptors.Reverse())
        {
            var inner = handler;
            handler = interceptor.Shared is { } shared
                ? (requests, responses, context) => shared.DuplexStreamingServerHandler(requests, responses, context, inner)
                : (requests, responses, context) =>
                    interceptor.RunAsync(context, own => own.DuplexStreamingServerHandler(requests, responses, context, inner));
        }

        return handler;
    }
}
