using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Core.Client;

/// <summary>Credentials, interceptors and telemetry: what surrounds a call.</summary>
public sealed class CredentialsTests
{
    [Fact]
    public async Task Call_credentials_travel_over_tls_in_order()
    {
        await using var server = await RawServer.StartAsync(EchoHeaderAsync, tls: true);
        var asked = new List<AuthInterceptorContext>();
        var channelCredentials = ChannelCredentials.Create(ChannelCredentials.SecureSsl, CallCredentials.FromInterceptor((context, metadata) =>
        {
            asked.Add(context);
            metadata.Add("x-token", "channel");
            return Task.CompletedTask;
        }));
        var callCredentials = CallCredentials.Compose(Token("first"), Token("second"));
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=localhost";
        using var channel = GrpcChannel.ForAddress(server.Url, new() { Credentials = channelCredentials, HttpHandler = handler });
        var response = await new RpcTestService.RpcTestServiceClient(channel).EchoAsync(new(), new CallOptions(credentials: callCredentials));
        Assert.Equal("channel,first,second", response.Name.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal("Echo", Assert.Single(asked).MethodName);
        Assert.Equal(server.Url + "/vibe.rpctest.v1.RpcTestService", asked[0].ServiceUrl);
    }

    [Fact]
    public async Task Call_credentials_are_refused_without_tls_unless_asked_for()
    {
        await using var server = await RawServer.StartAsync(EchoHeaderAsync);
        var options = new CallOptions(credentials: Token("secret"));
        Assert.Throws<InvalidOperationException>(() => server.Client().EchoAsync(new(), options));
        Assert.Throws<InvalidOperationException>(
            () => server.Client(o => o.Credentials = ChannelCredentials.Create(ChannelCredentials.Insecure, Token("secret"))));
        var client = server.Client(o => o.UnsafeUseInsecureChannelCallCredentials = true);
        Assert.Equal("secret", (await client.EchoAsync(new(), options)).Name);
    }

    [Fact]
    public void Credentials_that_contradict_the_address_are_refused()
    {
        Assert.Throws<InvalidOperationException>(
            () => GrpcChannel.ForAddress("http://localhost", new() { Credentials = ChannelCredentials.SecureSsl }));
        Assert.Throws<InvalidOperationException>(
            () => GrpcChannel.ForAddress("https://localhost", new() { Credentials = ChannelCredentials.Insecure }));
    }

    [Fact]
    public async Task Credentials_that_cannot_be_fetched_fail_the_call()
    {
        var calls = 0;
        await using var server = await RawServer.StartAsync(_ =>
        {
            calls++;
            return Task.CompletedTask;
        });
        var client = server.Client(o => o.UnsafeUseInsecureChannelCallCredentials = true);
        var broken = CallCredentials.FromInterceptor((_, _) => throw new IOException("no such file"));
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await client.EchoAsync(new(), new CallOptions(credentials: broken)));
        Assert.Equal(StatusCode.Unauthenticated, exception.StatusCode);
        Assert.DoesNotContain("no such file", exception.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(0, calls);
    }

    [Fact]
    public async Task Interceptors_see_calls_in_the_order_given()
    {
        await using var server = await RawServer.StartAsync(EchoHeaderAsync);
        var order = new List<string>();
        var invoker = server.Channel()
            .Intercept(metadata =>
            {
                metadata.Add("x-token", "added");
                return metadata;
            })
            .Intercept(new Recorder("a", order), new Recorder("b", order));
        var client = new RpcTestService.RpcTestServiceClient(invoker);
        var metadata = new Metadata();
        Assert.Equal("added", (await client.EchoAsync(new(), metadata)).Name);
        Assert.Equal(["a", "b"], order);
        Assert.Empty(metadata);
        Assert.Equal("added", client.Echo(new()).Name);
    }

    [Fact]
    public async Task A_propagated_call_inherits_deadline_and_cancellation()
    {
        await using var server = await RawServer.StartAsync(context => context.UntilAbortedAsync());
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        using var parent = new CancellationTokenSource();
        var late = new ContextPropagationToken(null, now.AddMilliseconds(-1), parent.Token);
        var exception = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client().EchoAsync(new(), new CallOptions(deadline: now.AddHours(1)).WithPropagationToken(late)));
        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
        var alive = new ContextPropagationToken(new(propagateDeadline: false), now.AddMilliseconds(-1), parent.Token);
        using var call = server.Client().EchoAsync(new(), new CallOptions().WithPropagationToken(alive));
        await parent.CancelAsync();
        exception = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.Cancelled, exception.StatusCode);
    }

    [Fact]
    public async Task A_call_leaves_a_span_and_a_measurement_and_passes_the_trace_on()
    {
        var spans = new ConcurrentQueue<Activity>();
        var durations = new ConcurrentQueue<(double Seconds, Dictionary<string, object?> Tags)>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Vibe.Rpc.Client",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, meter) =>
        {
            if (instrument.Meter.Name == "Vibe.Rpc.Client")
            {
                meter.EnableMeasurementEvents(instrument);
            }
        };
        meters.SetMeasurementEventCallback<double>((_, value, tags, _) => durations.Enqueue((value, tags.ToArray().ToDictionary())));
        meters.Start();

        var traceParent = "";
        await using var server = await RawServer.StartAsync(context =>
        {
            traceParent = context.Request.Headers.TraceParent.ToString();
            context.EndAtOnce(5);
            return Task.CompletedTask;
        });
        using var outer = new Activity("outer").Start();
        await Assert.ThrowsAsync<RpcException>(async () => await server.Client().FailAsync(new()));
        Assert.Same(outer, Activity.Current);

        var span = Assert.Single(spans, s => s.TraceId == outer.TraceId);
        Assert.Equal("vibe.rpctest.v1.RpcTestService/Fail", span.DisplayName);
        Assert.Equal(ActivityKind.Client, span.Kind);
        Assert.Equal(outer.SpanId, span.ParentSpanId);
        Assert.Equal(ActivityStatusCode.Error, span.Status);
        Assert.Equal("grpc", span.GetTagItem("rpc.system.name"));
        Assert.Equal("vibe.rpctest.v1.RpcTestService/Fail", span.GetTagItem("rpc.method"));
        Assert.Equal("NOT_FOUND", span.GetTagItem("rpc.response.status_code"));
        Assert.Equal(server.Port, span.GetTagItem("server.port"));
        Assert.Contains(outer.TraceId.ToHexString(), traceParent, StringComparison.Ordinal);

        var (seconds, tags) = Assert.Single(durations, d => (int)d.Tags["server.port"]! == server.Port);
        Assert.InRange(seconds, 0, 60);
        Assert.Equal("NOT_FOUND", tags["rpc.response.status_code"]);
        Assert.Equal("NOT_FOUND", tags["error.type"]);
    }

    private static async Task EchoHeaderAsync(HttpContext context)
    {
        await context.SendAsync(RawGrpc.Frame(new EchoResponse { Name = string.Join(',', context.Request.Headers["x-token"].ToArray()) }));
        context.End();
    }

    private static CallCredentials Token(string value) => CallCredentials.FromInterceptor((_, metadata) =>
    {
        metadata.Add("x-token", value);
        return Task.CompletedTask;
    });

    private sealed class Recorder(string name, List<string> order) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            order.Add(name);
            return continuation(request, context);
        }
    }
}
