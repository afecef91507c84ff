using System.Reflection;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Vibe.Rpc.Calls;

namespace Vibe.Rpc.Binding;

/// <summary>
/// Takes the methods that generated code binds and makes an <see cref="RpcMethod"/> of each. Given an instance, the generated code
/// binds its delegates; given null it binds none, and the methods are found on <typeparamref name="TService"/> and called on an
/// instance made per call.
/// </summary>
internal sealed class MethodBinder<TService>(
    RpcServer server, ServiceDescriptor service, GrpcServiceOptions options, ServiceActivator<TService> services, InterceptorChain interceptors)
    : ServiceBinderBase
    where TService : class
{
    private static readonly Type[] Unary = [typeof(ServerCallContext)];

    public List<RpcMethod> Methods { get; } = [];

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        if (handler is null)
        {
            var open = Find(method, [typeof(TRequest), .. Unary])
                .CreateDelegate<Func<TService, TRequest, ServerCallContext, Task<TResponse>>>();
            handler = (request, context) => services.RunAsync(context, service => open(service, request, context));
        }

        handler = interceptors.Around(handler);
        Add(method, new UnaryInvoker<TRequest, TResponse>(handler).InvokeAsync);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        if (handler is null)
        {
            var open = Find(method, [typeof(IAsyncStreamReader<TRequest>), .. Unary])
                .CreateDelegate<Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>>();
            handler = (requests, context) => services.RunAsync(context, service => open(service, requests, context));
        }

        handler = interceptors.Around(handler);
        Add(method, new ClientStreamingInvoker<TRequest, TResponse>(handler).InvokeAsync);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        if (handler is null)
        {
            var open = Find(method, [typeof(TRequest), typeof(IServerStreamWriter<TResponse>), .. Unary])
                .CreateDelegate<Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>>();
            handler = (request, responses, context) => services.RunAsync(context, service => open(service, request, responses, context));
        }

        handler = interceptors.Around(handler);
        Add(method, new ServerStreamingInvoker<TRequest, TResponse>(handler).InvokeAsync);
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        if (handler is null)
        {
            var open = Find(method, [typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>), .. Unary])
                .CreateDelegate<Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task>>();
            handler = (requests, responses, context) => services.RunAsync(context, service => open(service, requests, responses, context));
        }

        handler = interceptors.Around(handler);
        Add(method, new DuplexInvoker<TRequest, TResponse>(handler).InvokeAsync);
    }

    private void Add<TRequest, TResponse>(Method<TRequest, TResponse> method, Func<RpcCall, Task> invoke)
        where TRequest : class
        where TResponse : class
    {
        var descriptor = service.FindMethodByName(method.Name)
            ?? throw new InvalidOperationException($"{method.FullName} has no descriptor in {service.FullName}.");
        if (descriptor.InputType.ClrType != typeof(TRequest) || descriptor.OutputType.ClrType != typeof(TResponse))
        {
            throw new InvalidOperationException($"{method.FullName} is bound with other message types than its descriptor has.");
        }

        Methods.Add(new(server, descriptor, method.Type, options, MetadataOf(method.Name), MessageFactory.For(typeof(TRequest)), invoke));
    }

    private static MethodInfo Find(IMethod method, Type[] parameters)
    {
        // The most derived override; the generated base class supplies one for methods that the service leaves out.
        for (var type = typeof(TService); type is not null; type = type.BaseType)
        {
            const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly;
            if (type.GetMethod(method.Name, Declared, parameters) is { } found)
            {
                return found;
            }
        }

        throw new InvalidOperationException($"{typeof(TService)} has no method for {method.FullName}.");
    }

    private static List<object> MetadataOf(string name)
    {
        var metadata = new List<object>(typeof(TService).GetCustomAttributes(inherit: true));
        foreach (var candidate in typeof(TService).GetMethods(BindingFlags.Public | BindingFlags.Instance))
        {
            if (candidate.Name == name && candidate.GetParameters() is [.., { } last] && last.ParameterType == typeof(ServerCallContext))
            {
                metadata.AddRange(candidate.GetCustomAttributes(inherit: true));
            }
        }

        return metadata;
    }
}
