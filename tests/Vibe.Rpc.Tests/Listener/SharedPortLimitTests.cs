using System.Net.Sockets;
using System.Text;
using Vibe.Rpc.Listener;

namespace Vibe.Rpc.Tests.Listener;

public sealed class SharedPortLimitTests
{
    private static readonly byte[] KeepAliveRequest = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

    [Theory]
    [InlineData("")]
    [InlineData("P")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r")]
    public async Task A_connection_that_does_not_say_what_it_speaks_is_closed_after_the_timeout(string sent)
    {
        var clock = new ManualClock();
        await using var host = await SharedPortHost.StartAsync(clock: clock);
        using var socket = await host.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(sent));
        await clock.TimerStartedAsync();

        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(1, host.Shared.SilentCount);
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.True(await socket.IsClosedByServerAsync());
        await SharedPortHost.EventuallyAsync(() => host.Shared.OpenCount == 0);
    }

    [Fact]
    public async Task Each_connection_has_its_own_time()
    {
        var clock = new ManualClock();
        await using var host = await SharedPortHost.StartAsync(clock: clock);
        using var first = await host.ConnectAsync();
        await clock.TimerStartedAsync();
        clock.Advance(TimeSpan.FromSeconds(6));
        using var second = await host.ConnectAsync();
        await SharedPortHost.EventuallyAsync(() => host.Shared.SilentCount == 2);

        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.True(await first.IsClosedByServerAsync());
        Assert.Equal(1, host.Shared.SilentCount);

        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.True(await second.IsClosedByServerAsync());
    }

    [Fact]
    public async Task A_connection_that_spoke_is_out_of_reach_of_the_timeout()
    {
        var clock = new ManualClock();
        await using var host = await SharedPortHost.StartAsync(clock: clock);
        using var socket = await host.ConnectAsync();
        await AnswersAsync(socket);

        clock.Advance(TimeSpan.FromHours(1));

        await AnswersAsync(socket);
    }

    [Fact]
    public async Task One_silent_connection_too_many_closes_the_oldest()
    {
        await using var host = await SharedPortHost.StartAsync(limits: limits => limits.MaxSilentConnections = 2, clock: new ManualClock());
        using var first = await host.ConnectAsync();
        await SharedPortHost.EventuallyAsync(() => host.Shared.SilentCount == 1);
        using var second = await host.ConnectAsync();
        await SharedPortHost.EventuallyAsync(() => host.Shared.SilentCount == 2);

        using var third = await host.ConnectAsync();

        Assert.True(await first.IsClosedByServerAsync());
        await AnswersAsync(third);
        await AnswersAsync(second);
    }

    [Fact]
    public async Task Over_the_connection_limit_silent_ones_make_room_and_then_new_ones_are_closed()
    {
        await using var host = await SharedPortHost.StartAsync(limits: limits => limits.MaxConnections = 2, clock: new ManualClock());
        using var silent = await host.ConnectAsync();
        await SharedPortHost.EventuallyAsync(() => host.Shared.SilentCount == 1);
        using var first = await host.ConnectAsync();
        await AnswersAsync(first);

        using var second = await host.ConnectAsync();
        await AnswersAsync(second);
        Assert.True(await silent.IsClosedByServerAsync());
        await SharedPortHost.EventuallyAsync(() => host.Shared.OpenCount == 2);

        using var tooMany = await host.ConnectAsync();
        Assert.True(await tooMany.IsClosedByServerAsync());
        await AnswersAsync(first);

        first.Shutdown(SocketShutdown.Both);
        await SharedPortHost.EventuallyAsync(() => host.Shared.OpenCount == 1);
        using var next = await host.ConnectAsync();
        await AnswersAsync(next);
    }

    [Theory]
    [InlineData("")]
    [InlineData("PRI")]
    public async Task A_client_that_stops_sending_before_it_spoke_is_let_go(string sent)
    {
        await using var host = await SharedPortHost.StartAsync(clock: new ManualClock());
        using var socket = await host.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(sent));
        socket.Shutdown(SocketShutdown.Send);

        Assert.True(await socket.IsClosedByServerAsync());
        await SharedPortHost.EventuallyAsync(() => host.Shared is { OpenCount: 0, SilentCount: 0 });
    }

    [Fact]
    public async Task Connections_that_come_and_go_in_every_state_leave_nothing_behind()
    {
        await using var host = await SharedPortHost.StartAsync(limits: limits => limits.MaxSilentConnections = 8, clock: new ManualClock());
        byte[][] openings = [[], [.. "P"u8], [.. Preface.Http2[..12]], [.. Preface.Http2], [.. KeepAliveRequest], [0x16, 3, 1]];
        await Parallel.ForEachAsync(Enumerable.Range(0, 600), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, cancellationToken) =>
        {
            try
            {
                using var socket = await host.ConnectAsync();
                await socket.SendAsync(openings[i % openings.Length], cancellationToken);
                if (i % 4 == 0)
                {
                    socket.LingerState = new LingerOption(true, 0); // a reset instead of a polite end
                }
            }
            catch (SocketException)
            {
                // Evicted while it spoke: allowed, the limit is small on purpose.
            }
        });

        await SharedPortHost.EventuallyAsync(() => host.Shared is { OpenCount: 0, SilentCount: 0 });
        using var last = await host.ConnectAsync();
        await AnswersAsync(last);
    }

    private static async Task AnswersAsync(Socket socket)
    {
        await socket.SendAsync(KeepAliveRequest);
        var received = new StringBuilder();
        while (!received.ToString().EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal))
        {
            received.Append(Encoding.ASCII.GetString(await socket.ReadAsync(1)));
        }

        Assert.StartsWith("HTTP/1.1 200", received.ToString(), StringComparison.Ordinal);
    }
}
