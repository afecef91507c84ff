using Grpc.Core;
using Vibe.Rpc.Calls;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>How services and interceptors are found, made, ordered and disposed, and what a handler may not do.</summary>
public sealed class ServiceTests
{
    private static readonly WireProtocol PlainGrpc = new(Family.Grpc);

    private readonly Trace _trace = new();
    private readonly Probe _probe = new();

    [Fact]
    public async Task An_unregistered_service_is_made_per_call_and_disposed()
    {
        await using var server = await StartAsync<ScopedProbe>();
        var first = (await EchoAsync(server)).Single().Name;
        var second = (await EchoAsync(server)).Single().Name;
        Assert.NotEqual(first, second);
        Assert.Equal($"echo({Guid.Parse(first)}) disposed echo({Guid.Parse(second)}) disposed", _trace.Take());
    }

    [Fact]
    public async Task A_scoped_service_comes_from_the_calls_services()
    {
        await using var server = await StartAsync<ScopedProbe>(services => services.AddScoped<ScopedProbe>());
        var name = (await EchoAsync(server)).Single().Name;
        await server.Watch.NoneAsync();
        Assert.StartsWith($"echo({Guid.Parse(name)})", _trace.Take(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_method_the_service_leaves_out_is_unimplemented()
    {
        await using var server = await StartAsync<ScopedProbe>();
        var result = await server.CallAsync<ChatResponse>(PlainGrpc, "Chat", streams: true, []);
        Assert.Equal(StatusCode.Unimplemented, result.Code);
    }

    [Fact]
    public async Task Interceptors_run_global_first_then_the_services_own()
    {
        await using var server = await StartAsync<Probe>(
            services => services.AddGrpc(options =>
            {
                options.Interceptors.Add<SharedInterceptor>();
                options.Interceptors.Add<NotingInterceptor>("outer");
            }).AddServiceOptions<Probe>(options => options.Interceptors.Add<NotingInterceptor>("inner")));
        (await EchoAsync(server)).Single();
        Assert.Equal("shared:Echo outer> inner> <inner inner! <outer outer!", _trace.Take());

        await server.CallAsync<ChatResponse>(PlainGrpc, "Chat", streams: true, []);
        Assert.Equal("outer> inner> <inner inner! <outer outer!", _trace.Take());
    }

    [Fact]
    public async Task An_interceptor_may_refuse_a_call()
    {
        await using var server = await StartAsync<Probe>(services => services.AddGrpc(options => options.Interceptors.Add<SharedInterceptor>()));
        var result = await server.CallAsync<EchoResponse>(
            PlainGrpc, "Echo", streams: false, [new EchoRequest()], headers => headers.Add("x-refuse", "yes"));
        Assert.Equal((StatusCode.PermissionDenied, "refused"), (result.Code, result.Message));
    }

    [Fact]
    public async Task A_services_own_options_win()
    {
        await using var server = await StartAsync<Probe>(
            services => services.AddGrpc(options => options.MaxReceiveMessageSize = 1).AddServiceOptions<Probe>(options => options.MaxReceiveMessageSize = 100));
        (await EchoAsync(server)).Single();
        var result = await server.CallAsync<EchoResponse>(PlainGrpc, "Echo", false, [new EchoRequest { Name = new('x', 101) }]);
        Assert.Equal(StatusCode.ResourceExhausted, result.Code);
    }

    [Fact]
    public async Task A_response_over_its_limit_fails_before_it_is_sent()
    {
        _probe.OnEcho = (_, _) => Task.FromResult(new EchoResponse { Name = new('x', 101) });
        await using var server = await StartAsync<Probe>(services => services.AddGrpc(options => options.MaxSendMessageSize = 100));
        foreach (var protocol in new WireProtocol[] { PlainGrpc, new(Family.Connect, Json: true) })
        {
            var result = await server.CallAsync<EchoResponse>(protocol, "Echo", false, [new EchoRequest()]);
            Assert.Equal((StatusCode.ResourceExhausted, 0), (result.Code, result.Responses.Count));
        }
    }

    [Fact]
    public async Task Detailed_errors_show_the_exception()
    {
        _probe.OnEcho = (_, _) => throw new InvalidOperationException("the reason");
        await using var server = await StartAsync<Probe>(services => services.AddGrpc(options => options.EnableDetailedErrors = true));
        var result = await EchoAsync(server);
        Assert.Equal((StatusCode.Internal, "InvalidOperationException: the reason"), (result.Code, result.Message));
        Assert.Single(server.TakeErrors());
    }

    [Fact]
    public async Task A_handler_that_returns_null_is_an_internal_error()
    {
        _probe.OnEcho = (_, _) => Task.FromResult<EchoResponse>(null!);
        await using var server = await StartAsync<Probe>();
        Assert.Equal(StatusCode.Internal, (await EchoAsync(server)).Code);
        Assert.Single(server.TakeErrors());
    }

    [Fact]
    public async Task A_status_that_the_handler_sets_ends_the_call()
    {
        _probe.OnEcho = (_, context) =>
        {
            context.Status = new(StatusCode.OutOfRange, "too far");
            context.ResponseTrailers.Add("x-why", "because");
            return Task.FromResult(new EchoResponse());
        };
        await using var server = await StartAsync<Probe>();
        foreach (var protocol in new WireProtocol[] { PlainGrpc, new(Family.GrpcWeb), new(Family.Connect) })
        {
            var result = await server.CallAsync<EchoResponse>(protocol, "Echo", false, [new EchoRequest()]);
            Assert.Equal((StatusCode.OutOfRange, "too far"), (result.Code, result.Message));
            Assert.Equal("because", Assert.Single(result.Trailers["x-why"]));
        }
    }

    [Fact]
    public async Task Headers_can_be_written_once_and_reserved_names_are_left_out()
    {
        Exception? second = null;
        _probe.OnEcho = async (_, context) =>
        {
            await context.WriteResponseHeadersAsync([new("x-a", "1"), new("content-type", "text/plain"), new("grpc-status", "5")]);
            second = await Record.ExceptionAsync(() => context.WriteResponseHeadersAsync([]));
            return new();
        };
        await using var server = await StartAsync<Probe>();
        var result = await EchoAsync(server);
        result.Single();
        Assert.Equal("1", Assert.Single(result.Headers["x-a"]));
        Assert.Equal("application/grpc", Assert.Single(result.Headers["content-type"]));
        Assert.IsType<InvalidOperationException>(second);
    }

    [Fact]
    public async Task A_stream_is_closed_to_a_handler_that_has_returned()
    {
        IAsyncStreamReader<ChatRequest> requests = null!;
        IServerStreamWriter<ChatResponse> responses = null!;
        Task<bool> pending = null!;
        _probe.OnChat = (reader, writer, _) =>
        {
            (requests, responses, pending) = (reader, writer, reader.MoveNext(CancellationToken.None));
            return Task.CompletedTask;
        };
        await using var server = await StartAsync<Probe>();
        using var request = WireCall.Request(server, PlainGrpc, "Chat", streams: true, []);
        using var body = new OpenContent(request.Content!.Headers.ContentType!);
        request.Content = body;
        using var response = await server.Client.SendAsync(request).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(StatusCode.OK, (await WireAnswer.ReadAsync<ChatResponse>(PlainGrpc, true, response)).Code);
        body.End();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
        await Assert.ThrowsAsync<InvalidOperationException>(() => responses.WriteAsync(new()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => requests.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task Only_one_read_may_be_pending()
    {
        var second = new TaskCompletionSource<Exception?>();
        _probe.OnChat = async (reader, _, _) =>
        {
            var first = reader.MoveNext(CancellationToken.None);
            second.SetResult(await Record.ExceptionAsync(() => reader.MoveNext(CancellationToken.None)));
            await first;
        };
        await using var server = await StartAsync<Probe>();
        using var request = WireCall.Request(server, PlainGrpc, "Chat", streams: true, []);
        using var body = new OpenContent(request.Content!.Headers.ContentType!);
        request.Content = body;
        var sending = server.Client.SendAsync(request);
        Assert.IsType<InvalidOperationException>(await second.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        body.End();
        using var response = await sending.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(StatusCode.OK, (await WireAnswer.ReadAsync<ChatResponse>(PlainGrpc, true, response)).Code);
    }

    [Fact]
    public async Task Buffered_messages_arrive_with_the_end()
    {
        _probe.OnExpand = async (request, responses, _) =>
        {
            responses.WriteOptions = new(WriteFlags.BufferHint);
            for (var index = 0; index < request.Count; index++)
            {
                await responses.WriteAsync(new() { Index = index });
            }
        };
        await using var server = await StartAsync<Probe>();
        foreach (var protocol in new WireProtocol[] { PlainGrpc, new(Family.GrpcWebText, HttpVersion: 1), new(Family.Connect, Json: true) })
        {
            var result = await server.CallAsync<ExpandResponse>(protocol, "Expand", true, [new ExpandRequest { Count = 5000 }]);
            Assert.Equal(Enumerable.Range(0, 5000), result.Responses.Select(response => response.Index));
        }
    }

    [Fact]
    public async Task A_mapped_class_that_is_no_service_fails_at_start()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => RpcTestServer.StartAsync(map: app => app.MapGrpcService<Trace>()));
        Assert.Contains("generated service", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_call_knows_its_peer_host_and_method()
    {
        var seen = "";
        _probe.OnEcho = (_, context) =>
        {
            seen = $"{context.Method} {context.Host} {context.Peer} {context.Deadline == DateTime.MaxValue} {context.AuthContext.IsPeerAuthenticated}";
            Assert.Same(context, context as RpcCall);
            Assert.Equal("Echo", context.GetRpcMethod().Descriptor.Name);
            Assert.False(context.GetDrainToken().IsCancellationRequested);
            return Task.FromResult(new EchoResponse());
        };
        await using var server = await StartAsync<Probe>();
        (await EchoAsync(server)).Single();
        Assert.Matches($"^/vibe.rpctest.v1.RpcTestService/Echo 127.0.0.1:{server.Http2.Port} ipv4:127.0.0.1:[0-9]+ True False$", seen);
    }

    private Task<RpcTestServer> StartAsync<TService>(Action<IServiceCollection>? configure = null)
        where TService : class => RpcTestServer.StartAsync(
            services: services =>
            {
                services.AddSingleton(_trace).AddSingleton<SharedInterceptor>().AddScoped<ScopedThing>();
                if (typeof(TService) == typeof(Probe))
                {
                    services.AddSingleton(_probe);
                }

                configure?.Invoke(services);
            },
            map: app => app.MapGrpcService<TService>());

    private static Task<WireResult<EchoResponse>> EchoAsync(RpcTestServer server) =>
        server.CallAsync<EchoResponse>(PlainGrpc, "Echo", streams: false, [new EchoRequest()]);
}
