using Grpc.Core;
using Vibe.Rpc.Hosting;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>Shutdown drains, and readers that do not read are dropped.</summary>
public sealed class ShutdownTests
{
    private readonly Probe _probe = new();

    [Theory]
    [InlineData(Family.Grpc, 2)]
    [InlineData(Family.GrpcWeb, 1)]
    [InlineData(Family.Connect, 1)]
    [InlineData(Family.Connect, 2)]
    public async Task A_stream_that_watches_the_drain_ends_by_itself(Family family, int version)
    {
        _probe.OnExpand = async (_, responses, context) =>
        {
            await responses.WriteAsync(new() { Index = 1 });
            await CancelledAsync(context.GetDrainToken());
            await responses.WriteAsync(new() { Index = 2 });
        };
        await using var server = await StartAsync(new() { DrainTimeout = TimeSpan.FromMinutes(1) });
        var protocol = new WireProtocol(family, HttpVersion: version);
        var call = server.CallAsync<ExpandResponse>(protocol, "Expand", true, [new ExpandRequest()]);
        await server.Watch.StartedAsync(1);
        await server.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));

        var result = await call;
        Assert.Equal(StatusCode.OK, result.Code);
        Assert.Equal([1, 2], result.Responses.Select(response => response.Index));
    }

    [Theory]
    [InlineData(Family.Grpc, 2)]
    [InlineData(Family.GrpcWeb, 1)]
    [InlineData(Family.Connect, 1)]
    public async Task What_does_not_end_in_time_ends_unavailable(Family family, int version)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _probe.OnExpand = async (_, responses, context) =>
        {
            await responses.WriteAsync(new() { Index = 1 });
            written.SetResult();
            await CancelledAsync(context.CancellationToken);
            context.CancellationToken.ThrowIfCancellationRequested();
        };
        await using var server = await StartAsync(new() { DrainTimeout = TimeSpan.FromMilliseconds(50) });
        var protocol = new WireProtocol(family, HttpVersion: version);
        var call = server.CallAsync<ExpandResponse>(protocol, "Expand", true, [new ExpandRequest()]);
        await written.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await server.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));

        var result = await call;
        Assert.Equal((StatusCode.Unavailable, 1), (result.Code, result.Responses.Count));
    }

    [Fact]
    public async Task A_stream_that_waits_for_its_client_is_drained_too()
    {
        _probe.OnChat = async (requests, _, _) => await requests.MoveNext(CancellationToken.None);
        await using var server = await StartAsync(new() { DrainTimeout = TimeSpan.FromMilliseconds(50) });
        var protocol = new WireProtocol(Family.Grpc);
        using var request = WireCall.Request(server, protocol, "Chat", streams: true, []);
        using var body = new OpenContent(request.Content!.Headers.ContentType!);
        request.Content = body;
        var sending = server.Client.SendAsync(request);
        await server.Watch.StartedAsync(1);
        var stopping = server.StopAsync(CancellationToken.None);
        using var response = await sending.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(StatusCode.Unavailable, (await WireAnswer.ReadAsync<ChatResponse>(protocol, true, response)).Code);

        // Kestrel keeps the connection until the client has ended its half.
        body.End();
        await stopping.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData(Family.Grpc, 2, 64)]
    [InlineData(Family.GrpcWeb, 1, 64)]
    [InlineData(Family.GrpcWebText, 2, 64)]
    [InlineData(Family.Connect, 1, 64)]
    public async Task A_client_that_does_not_read_is_dropped_with_bounded_memory(Family family, int version, int maxMegabytes)
    {
        _probe.OnExpand = async (_, responses, _) =>
        {
            var message = new ExpandResponse { Padding = Google.Protobuf.ByteString.CopyFrom(new byte[100_000]) };
            while (true)
            {
                await responses.WriteAsync(message);
            }
        };
        await using var server = await StartAsync(new() { WriteTimeout = TimeSpan.FromMilliseconds(200) });
        using var request = WireCall.Request(server, new(family, HttpVersion: version), "Expand", streams: true, [new ExpandRequest()]);
        var sending = server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await server.Watch.StartedAsync(1);
        await server.Watch.NoneAsync();
        Assert.InRange(server.Watch.BytesSent, 1, maxMegabytes * 1_000_000L);
        await IsDroppedAsync(sending);
    }

    [Fact]
    public async Task A_large_unary_answer_that_nobody_reads_is_dropped()
    {
        _probe.OnEcho = (_, _) => Task.FromResult(new EchoResponse { Padding = Google.Protobuf.ByteString.CopyFrom(new byte[50_000_000]) });
        await using var server = await StartAsync(new() { WriteTimeout = TimeSpan.FromMilliseconds(200) });
        foreach (var (calls, protocol) in new WireProtocol[] { new(Family.Grpc), new(Family.Connect, HttpVersion: 1) }.Index())
        {
            using var request = WireCall.Request(server, protocol, "Echo", streams: false, [new EchoRequest()]);
            var sending = server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await server.Watch.StartedAsync(calls + 1);
            await server.Watch.NoneAsync();
            await IsDroppedAsync(sending);
        }
    }

    [Fact]
    public void A_write_timeout_of_zero_is_refused()
    {
        var services = new ServiceCollection();
        services.AddLogging().AddGrpc();
        services.Configure<RpcServerLimits>(limits => limits.WriteTimeout = TimeSpan.Zero);
        using var provider = services.BuildServiceProvider();
        Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(
            () => provider.GetRequiredService<Microsoft.Extensions.Options.IOptions<RpcServerLimits>>().Value);
    }

    // A client that is slow to look may find its answer gone with its first line.
    private static async Task IsDroppedAsync(Task<HttpResponseMessage> sending) => Assert.IsNotType<TimeoutException>(await Assert.ThrowsAnyAsync<Exception>(async () =>
    {
        using var response = await sending.WaitAsync(TimeSpan.FromSeconds(60));
        await response.Content.CopyToAsync(Stream.Null).WaitAsync(TimeSpan.FromSeconds(60));
    }));

    private Task<RpcTestServer> StartAsync(RpcServerLimits limits) => RpcTestServer.StartAsync(
        services: services => services.AddSingleton(_probe), map: app => app.MapGrpcService<Probe>(), limits: limits);

    private static Task CancelledAsync(CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        token.Register(() => cancelled.TrySetResult());
        return cancelled.Task.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
    }
}
