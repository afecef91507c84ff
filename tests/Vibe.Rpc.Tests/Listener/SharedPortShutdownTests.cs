using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Vibe.Rpc.Listener;

namespace Vibe.Rpc.Tests.Listener;

public sealed class SharedPortShutdownTests
{
    [Fact]
    public async Task Stopping_closes_silent_and_idle_connections_and_frees_the_port()
    {
        var host = await SharedPortHost.StartAsync(clock: new ManualClock());
        using var client = new HttpClient();
        await host.GetAsync(client, HttpVersion.Version11);
        await host.GetAsync(client, HttpVersion.Version20);
        using var silent = await host.ConnectAsync();
        await SharedPortHost.EventuallyAsync(() => host.Shared.SilentCount == 1);
        var (port, shared) = (host.Port, host.Shared);

        await host.DisposeAsync();

        Assert.True(await silent.IsClosedByServerAsync());
        await SharedPortHost.EventuallyAsync(() => shared.OpenCount == 0);
        await using var next = await SharedPortHost.StartAsync(options => options.ListenShared(IPAddress.Loopback, port));
        using var other = new HttpClient();
        Assert.Equal("HTTP/2", await next.GetAsync(other, HttpVersion.Version20));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_request_in_progress_is_answered_while_the_server_stops(int major)
    {
        var (entered, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        var host = await SharedPortHost.StartAsync(map: app => app.MapGet("/slow", async () =>
        {
            entered.SetResult();
            await finish.Task;
            return "done";
        }));
        using var client = new HttpClient { DefaultRequestVersion = new Version(major, major == 1 ? 1 : 0), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var answer = client.GetStringAsync($"http://127.0.0.1:{host.Port}/slow");
        await entered.Task.WaitAsync(SharedPortHost.Bound);

        var stopping = host.DisposeAsync().AsTask();
        await SharedPortHost.EventuallyAsync(() => host.Shared.IsUnbound);
        finish.SetResult();

        Assert.Equal("done", await answer.WaitAsync(SharedPortHost.Bound));
        await stopping.WaitAsync(SharedPortHost.Bound);
    }

    [Fact]
    public async Task Nothing_is_accepted_while_kestrel_does_not_take_what_is_there()
    {
        await using var source = new ScriptedListener();
        await using var port = Open(source);
        var half = port.Half(WireProtocol.Http1);
        for (var i = 0; i < 500; i++)
        {
            source.Connect("GET "u8.ToArray());
        }

        await SharedPortHost.EventuallyAsync(() => source.Waiting <= 500 - 64);
        await Task.Yield();
        Assert.InRange(source.Waiting, 500 - 2 * 64, 500 - 64);

        for (var i = 0; i < 500; i++)
        {
            var connection = await half.AcceptAsync().AsTask().WaitAsync(SharedPortHost.Bound);
            await connection!.DisposeAsync();
        }

        Assert.Equal(0, source.Waiting);
    }

    [Fact]
    public async Task Connections_nobody_took_are_closed_on_unbind()
    {
        await using var source = new ScriptedListener();
        await using var port = Open(source);
        var (http1, http2) = (port.Half(WireProtocol.Http1), port.Half(WireProtocol.Http2));
        var clients = Enumerable.Range(0, 10).Select(_ => source.Connect("GET "u8.ToArray())).ToList();
        await SharedPortHost.EventuallyAsync(() => source.Waiting == 0 && port.SilentCount == 0);

        await http1.UnbindAsync();
        Assert.Null(await http2.AcceptAsync());
        await http2.DisposeAsync();
        await http1.DisposeAsync();

        foreach (var client in clients)
        {
            var read = await client.Input.ReadAsync().AsTask().WaitAsync(SharedPortHost.Bound);
            Assert.True(read.IsCompleted);
        }
    }

    [Fact]
    public async Task A_listener_that_breaks_is_reported_to_both_protocols()
    {
        await using var source = new ScriptedListener();
        await using var port = Open(source);
        var (http1, http2) = (port.Half(WireProtocol.Http1), port.Half(WireProtocol.Http2));

        source.Break(new SocketException((int)SocketError.NetworkDown));

        await Assert.ThrowsAsync<SocketException>(() => http1.AcceptAsync().AsTask().WaitAsync(SharedPortHost.Bound));
        await Assert.ThrowsAsync<SocketException>(() => http2.AcceptAsync().AsTask().WaitAsync(SharedPortHost.Bound));
    }

    private static SharedPort Open(ScriptedListener source) =>
        new([source], source.EndPoint, new SharedListenerOptions(), new ManualClock(), NullLogger.Instance);

    /// <summary>Connections over pipes, as many as the test wants.</summary>
    private sealed class ScriptedListener : IConnectionListener
    {
        private readonly Channel<ConnectionContext> _backlog = Channel.CreateUnbounded<ConnectionContext>();

        public EndPoint EndPoint { get; } = new IPEndPoint(IPAddress.Loopback, 1);

        public int Waiting => _backlog.Reader.Count;

        public IDuplexPipe Connect(byte[] sent)
        {
            var (toServer, toClient) = (new Pipe(), new Pipe());
            sent.CopyTo(toServer.Writer.GetSpan(sent.Length));
            toServer.Writer.Advance(sent.Length);
            toServer.Writer.Complete();
            _backlog.Writer.TryWrite(new ScriptedConnection(new Duplex(toServer.Reader, toClient.Writer)));
            return new Duplex(toClient.Reader, toServer.Writer);
        }

        public void Break(Exception reason) => _backlog.Writer.Complete(reason);

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                return await _backlog.Reader.ReadAsync(cancellationToken);
            }
            catch (ChannelClosedException closed)
            {
                return closed.InnerException is { } reason ? throw reason : null;
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _backlog.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => UnbindAsync();

        private sealed class ScriptedConnection(Duplex server) : DefaultConnectionContext(Guid.NewGuid().ToString(), server, server)
        {
            public override void Abort(ConnectionAbortedException abortReason) => server.Input.CancelPendingRead();

            public override async ValueTask DisposeAsync()
            {
                await server.Input.CompleteAsync();
                await server.Output.CompleteAsync();
                await base.DisposeAsync();
            }
        }

        private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
    }
}
