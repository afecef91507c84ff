using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Core.Client;

/// <summary>Deadlines, cancellation, and servers that are not there.</summary>
public sealed class LifetimeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_deadline_ends_the_call_on_both_sides()
    {
        var (arrived, aborted) = (new TaskCompletionSource(), new TaskCompletionSource());
        string? timeout = null;
        await using var server = await RawServer.StartAsync(async context =>
        {
            timeout = context.Request.Headers["grpc-timeout"];
            arrived.TrySetResult();
            await context.StartAsync();
            await context.UntilAbortedAsync();
            aborted.TrySetResult();
        });

        // A machine that is too busy for the call to arrive gives the next one longer.
        for (var seconds = 1; !arrived.Task.IsCompleted; seconds *= 2)
        {
            var exception = await Assert.ThrowsAsync<RpcException>(
                async () => await server.Client().WaitAsync(new(), deadline: InTime(TimeSpan.FromSeconds(seconds))));
            Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
        }

        Assert.Matches("^[0-9]{1,8}[un]$", timeout);
        await aborted.Task.WaitAsync(Soon);
    }

    [Fact]
    public async Task A_deadline_that_has_passed_sends_nothing()
    {
        var calls = 0;
        await using var server = await RawServer.StartAsync(_ =>
        {
            calls++;
            return Task.CompletedTask;
        });
        using var call = server.Client().Expand(new(), deadline: InTime(TimeSpan.FromSeconds(-1)));
        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
        Assert.Equal(StatusCode.DeadlineExceeded, call.GetStatus().StatusCode);
        await Assert.ThrowsAsync<RpcException>(() => call.ResponseHeadersAsync);
        Assert.Equal(0, calls);
    }

    [Fact]
    public async Task A_deadline_at_the_end_of_time_is_none()
    {
        string? timeout = "";
        await using var server = await RawServer.StartAsync(async context =>
        {
            timeout = context.Request.Headers["grpc-timeout"];
            await context.SendAsync(RawGrpc.Frame(new EchoResponse()));
            context.End();
        });
        await server.Client().EchoAsync(new(), deadline: DateTime.MaxValue);
        Assert.Null(timeout);
        await server.Client().EchoAsync(new(), deadline: InTime(TimeSpan.FromDays(10_000)));
        Assert.EndsWith("M", timeout, StringComparison.Ordinal);
    }

    [Fact]
    public void A_local_deadline_is_refused()
    {
        using var channel = GrpcChannel.ForAddress("http://localhost:1");
        var client = new RpcTestService.RpcTestServiceClient(channel);
        Assert.Throws<InvalidOperationException>(() => client.EchoAsync(new(), deadline: new DateTime(2030, 1, 1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cancelling_resets_the_stream(bool headersFirst)
    {
        var arrived = new TaskCompletionSource();
        var aborted = new TaskCompletionSource();
        await using var server = await RawServer.StartAsync(async context =>
        {
            if (headersFirst)
            {
                await context.StartAsync();
            }

            arrived.SetResult();
            await context.UntilAbortedAsync();
            aborted.SetResult();
        });
        using var cancellation = new CancellationTokenSource();
        using var call = server.Client().WaitAsync(new(), cancellationToken: cancellation.Token);
        await arrived.Task.WaitAsync(Soon);
        await cancellation.CancelAsync();
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.Cancelled, exception.StatusCode);
        await aborted.Task.WaitAsync(Soon);
    }

    [Fact]
    public async Task A_channel_can_throw_the_exception_that_other_code_expects_of_cancellation()
    {
        using var channel = GrpcChannel.ForAddress("http://localhost:1", new() { ThrowOperationCanceledOnCancellation = true });
        using var call = new RpcTestService.RpcTestServiceClient(channel).WaitAsync(new(), cancellationToken: new(canceled: true));
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await call);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    [Theory]
    [InlineData("dispose the call")]
    [InlineData("cancel a read")]
    [InlineData("cancel the call while nobody reads")]
    [InlineData("dispose the channel")]
    public async Task A_stream_ends_however_it_is_given_up(string how)
    {
        var aborted = new TaskCompletionSource();
        await using var server = await RawServer.StartAsync(async context =>
        {
            await context.SendAsync(RawGrpc.Frame(new ExpandResponse { Index = 7 }));
            await context.UntilAbortedAsync();
            aborted.SetResult();
        });
        using var channel = server.Channel();
        using var cancellation = new CancellationTokenSource();
        using var call = new RpcTestService.RpcTestServiceClient(channel).Expand(new(), cancellationToken: cancellation.Token);
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.Equal(7, call.ResponseStream.Current.Index);
        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        using var read = new CancellationTokenSource();
        switch (how)
        {
            case "dispose the call":
                call.Dispose();
                break;
            case "cancel a read":
                var pending = call.ResponseStream.MoveNext(read.Token);
                await Assert.ThrowsAsync<InvalidOperationException>(() => call.ResponseStream.MoveNext());
                await read.CancelAsync();
                await Assert.ThrowsAsync<RpcException>(() => pending);
                break;
            case "dispose the channel":
                channel.Dispose();
                break;
            default:
                await cancellation.CancelAsync();
                break;
        }

        await aborted.Task.WaitAsync(Soon);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Cancelled, exception.StatusCode);
        if (how == "dispose the channel")
        {
            Assert.Throws<ObjectDisposedException>(() => new RpcTestService.RpcTestServiceClient(channel.CreateCallInvoker()));
        }
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        using var channel = GrpcChannel.ForAddress($"http://localhost:{FreePort()}");
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await new RpcTestService.RpcTestServiceClient(channel).EchoAsync(new()));
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.NotNull(exception.Status.DebugException);
    }

    [Fact]
    public async Task A_call_may_wait_for_its_server()
    {
        var port = FreePort();
        var refused = new TaskCompletionSource();
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}", new()
        {
            HttpHandler = new ObservingHandler(refused) { InnerHandler = new SocketsHttpHandler() },
        });
        var client = new RpcTestService.RpcTestServiceClient(channel);
        using var call = client.EchoAsync(new(), new CallOptions(deadline: InTime(Soon)).WithWaitForReady());
        await refused.Task.WaitAsync(Soon);
        await using var server = await RawServer.StartAsync(
            async context =>
            {
                await context.SendAsync(RawGrpc.Frame(new EchoResponse { Name = "at last" }));
                context.End();
            },
            port);
        Assert.Equal("at last", (await call).Name);
    }

    [Fact]
    public async Task A_server_that_fell_silent_is_noticed_by_pings()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var channel = GrpcChannel.ForAddress($"http://{listener.LocalEndpoint}", new()
        {
            KeepAlivePingDelay = TimeSpan.FromSeconds(1),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(1),
        });
        using var call = new RpcTestService.RpcTestServiceClient(channel).EchoAsync(new());
        using var connection = await listener.AcceptTcpClientAsync().WaitAsync(Soon);

        // An HTTP/2 connection that begins well: empty SETTINGS, and nothing ever after.
        await connection.GetStream().WriteAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 });
        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.WaitAsync(Soon));
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
    }

    [Fact]
    public async Task A_server_that_drops_the_connection_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var channel = GrpcChannel.ForAddress($"http://{listener.LocalEndpoint}");
        using var call = new RpcTestService.RpcTestServiceClient(channel).Chat();
        using (await listener.AcceptTcpClientAsync().WaitAsync(Soon))
        {
        }

        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext().WaitAsync(Soon));
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
    }

    [Theory]
    [InlineData("vibe.localhost")]
    [InlineData("a.b.LOCALHOST.")]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public async Task Names_below_localhost_are_loopback(string host)
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            await context.SendAsync(RawGrpc.Frame(new EchoResponse { Name = context.Request.Host.Host }));
            context.End();
        });
        using var channel = GrpcChannel.ForAddress($"http://{host}:{server.Port}");
        var client = new RpcTestService.RpcTestServiceClient(channel);
        Assert.Equal(host, (await client.EchoAsync(new())).Name, ignoreCase: true);
        Assert.Equal("other.example", (await client.WithHost("other.example").EchoAsync(new())).Name);
        Assert.Equal(host, client.Echo(new()).Name, ignoreCase: true);
    }

    [Theory]
    [InlineData("ftp://localhost")]
    [InlineData("localhost:80")]
    [InlineData("")]
    public void Other_addresses_are_refused(string address) => Assert.Throws<ArgumentException>(() => GrpcChannel.ForAddress(address));

    private static DateTime InTime(TimeSpan span) => TimeProvider.System.GetUtcNow().UtcDateTime + span;

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private sealed class ObservingHandler(TaskCompletionSource failed) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException)
            {
                failed.TrySetResult();
                throw;
            }
        }
    }
}
