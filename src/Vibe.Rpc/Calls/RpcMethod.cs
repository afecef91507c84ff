using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;

namespace Vibe.Rpc.Calls;

/// <summary>
/// One method of a mapped service, ready to be called through any protocol. It is part of the endpoint's metadata, so middlewares
/// and authorization see which method a request is for: <c>endpoint.Metadata.GetMetadata&lt;RpcMethod&gt;()</c>.
/// </summary>
public sealed class RpcMethod
{
    private readonly Func<RpcCall, Task> _invoke;

    internal RpcMethod(
        RpcServer server,
        MethodDescriptor descriptor,
        MethodType type,
        GrpcServiceOptions options,
        IReadOnlyList<object> endpointMetadata,
        Func<IMessage> newRequest,
        Func<RpcCall, Task> invoke)
    {
        Server = server;
        Descriptor = descriptor;
        Type = type;
        Options = options;
        EndpointMetadata = endpointMetadata;
        NewRequest = newRequest;
        _invoke = invoke;
        ServiceName = descriptor.Service.FullName;
        FullName = $"/{ServiceName}/{descriptor.Name}";
        QualifiedName = FullName[1..];
        HasNoSideEffects = descriptor.GetOptions() is
        {
            HasIdempotencyLevel: true,
            IdempotencyLevel: MethodOptions.Types.IdempotencyLevel.NoSideEffects,
        };
    }

    /// <summary>The path of the RPC protocols: <c>/package.Service/Method</c>.</summary>
    public string FullName { get; }

    /// <summary>The name in traces and metrics: <c>pkg.Service/Method</c>.</summary>
    internal string QualifiedName { get; }

    /// <summary>The service's full name: <c>package.Service</c>.</summary>
    public string ServiceName { get; }

    /// <summary>The method's own name.</summary>
    public string Name => Descriptor.Name;

    /// <summary>The protobuf descriptor of the generated code, with the method's options.</summary>
    public MethodDescriptor Descriptor { get; }

    /// <summary>Which sides stream.</summary>
    public MethodType Type { get; }

    /// <summary>Whether the method says <c>idempotency_level = NO_SIDE_EFFECTS</c>: it may be called by GET and retried.</summary>
    public bool HasNoSideEffects { get; }

    /// <summary>Whether the client sends a stream of messages.</summary>
    public bool ClientStreams => Type is MethodType.ClientStreaming or MethodType.DuplexStreaming;

    /// <summary>Whether the server sends a stream of messages.</summary>
    public bool ServerStreams => Type is MethodType.ServerStreaming or MethodType.DuplexStreaming;

    /// <summary>The attributes of the service's class and method, for every endpoint that leads here.</summary>
    internal IReadOnlyList<object> EndpointMetadata { get; }

    internal RpcServer Server { get; }

    internal GrpcServiceOptions Options { get; }

    /// <summary>Makes an empty request message.</summary>
    internal Func<IMessage> NewRequest { get; }

    /// <summary>Reads the request, runs interceptors and handler, and writes the response.</summary>
    internal Task InvokeAsync(RpcCall call) => _invoke(call);

    /// <inheritdoc/>
    public override string ToString() => FullName;
}
