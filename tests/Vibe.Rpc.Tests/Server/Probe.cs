using Grpc.Core;
using Grpc.Core.Interceptors;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>What the services and interceptors of a test saw, in order.</summary>
internal sealed class Trace
{
    private readonly List<string> _entries = [];

    public void Add(string entry)
    {
        lock (_entries)
        {
            _entries.Add(entry);
        }
    }

    public string Take()
    {
        lock (_entries)
        {
            var text = string.Join(' ', _entries);
            _entries.Clear();
            return text;
        }
    }
}

/// <summary>A service whose methods a test supplies.</summary>
internal sealed class Probe : RpcTestService.RpcTestServiceBase
{
    public Func<EchoRequest, ServerCallContext, Task<EchoResponse>> OnEcho { get; set; } = (_, _) => Task.FromResult(new EchoResponse());

    public Func<IAsyncStreamReader<ChatRequest>, IServerStreamWriter<ChatResponse>, ServerCallContext, Task> OnChat { get; set; } =
        (_, _, _) => Task.CompletedTask;

    public Func<ExpandRequest, IServerStreamWriter<ExpandResponse>, ServerCallContext, Task> OnExpand { get; set; } = (_, _, _) => Task.CompletedTask;

    public override Task<EchoResponse> Echo(EchoRequest request, ServerCallContext context) => OnEcho(request, context);

    public override Task Chat(
        IAsyncStreamReader<ChatRequest> requestStream, IServerStreamWriter<ChatResponse> responseStream, ServerCallContext context) =>
        OnChat(requestStream, responseStream, context);

    public override Task Expand(ExpandRequest request, IServerStreamWriter<ExpandResponse> responseStream, ServerCallContext context) =>
        OnExpand(request, responseStream, context);
}

/// <summary>A service that needs a scoped service, and says when it is disposed.</summary>
internal sealed class ScopedProbe(Trace trace, ScopedThing thing) : RpcTestService.RpcTestServiceBase, IAsyncDisposable
{
    public override Task<EchoResponse> Echo(EchoRequest request, ServerCallContext context)
    {
        trace.Add($"echo({thing.Id})");
        return Task.FromResult(new EchoResponse { Name = thing.Id.ToString("N") });
    }

    public ValueTask DisposeAsync()
    {
        trace.Add("disposed");
        return default;
    }
}

internal sealed class ScopedThing
{
    public Guid Id { get; } = Guid.NewGuid();
}

/// <summary>Notes when a call goes in and out.</summary>
internal sealed class NotingInterceptor(Trace trace, string name) : Interceptor, IDisposable
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        trace.Add($"{name}>");
        var response = await continuation(request, context);
        trace.Add($"<{name}");
        return response;
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        trace.Add($"{name}>");
        await continuation(requestStream, responseStream, context);
        trace.Add($"<{name}");
    }

    public void Dispose() => trace.Add($"{name}!");
}

/// <summary>One for all calls, by its registration.</summary>
internal sealed class SharedInterceptor(Trace trace) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        trace.Add($"shared:{context.GetRpcMethod().Name}");
        return context.RequestHeaders.GetValue("x-refuse") is null
            ? continuation(request, context)
            : throw new RpcException(new(StatusCode.PermissionDenied, "refused"));
    }
}
