namespace Grpc.Core.Interceptors;

/// <summary>Puts interceptors before the handlers of a service.</summary>
public static class ServerServiceDefinitionExtensions
{
    /// <summary>The same service, whose calls pass the interceptor first.</summary>
    /// <param name="serverServiceDefinition">The service.</param>
    /// <param name="interceptor">The interceptor.</param>
    public static ServerServiceDefinition Intercept(this ServerServiceDefinition serverServiceDefinition, Interceptor interceptor)
    {
        ArgumentNullException.ThrowIfNull(serverServiceDefinition);
        ArgumentNullException.ThrowIfNull(interceptor);
        var builder = ServerServiceDefinition.CreateBuilder();
        serverServiceDefinition.BindService(new InterceptingBinder(builder, interceptor));
        return builder.Build();
    }

    /// <summary>The same service, whose calls pass the interceptors in the order given.</summary>
    /// <param name="serverServiceDefinition">The service.</param>
    /// <param name="interceptors">The interceptors; the first one sees a call first.</param>
    public static ServerServiceDefinition Intercept(
        this ServerServiceDefinition serverServiceDefinition, params Interceptor[] interceptors)
    {
        ArgumentNullException.ThrowIfNull(serverServiceDefinition);
        ArgumentNullException.ThrowIfNull(interceptors);
        foreach (var interceptor in Enumerable.Reverse(interceptors))
        {
            serverServiceDefinition = Intercept(serverServiceDefinition, interceptor);
        }

        return serverServiceDefinition;
    }

    private sealed class InterceptingBinder(ServerServiceDefinition.Builder builder, Interceptor interceptor) : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
            builder.AddMethod(method, (request, context) => interceptor.UnaryServerHandler(request, context, handler!));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
            builder.AddMethod(
                method,
                (IAsyncStreamReader<TRequest> requests, ServerCallContext context) =>
                    interceptor.ClientStreamingServerHandler(requests, context, handler!));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
            builder.AddMethod(
                method,
                (TRequest request, IServerStreamWriter<TResponse> responses, ServerCallContext context) =>
                    interceptor.ServerStreamingServerHandler(request, responses, context, handler!));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
            builder.AddMethod(
                method,
                (IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TResponse> responses, ServerCallContext context) =>
                    interceptor.DuplexStreamingServerHandler(requests, responses, context, handler!));
    }
}
