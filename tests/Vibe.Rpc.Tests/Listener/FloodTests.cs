using System.Net;
using System.Text;
using Grpc.Net.Client;
using Vibe.Rpc.Hosting;
using Vibe.Rpc.Listener;
using HealthClient = Grpc.Health.V1.Health.HealthClient;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Vibe.Rpc.Tests.Listener;

[CollectionDefinition("Flood", DisableParallelization = true)]
public sealed class FloodTestsRunAlone;

/// <summary>What a hostile client can do to the port, each while an honest client asks for the server's health all the time.</summary>
[Collection("Flood")]
public sealed class FloodTests
{
    // Far above what an honest load needs and far below what an unbounded server would take.
    private const long MaxGrowthBytes = 96 * 1024 * 1024;

    [Fact]
    public Task Streams_opened_and_reset_as_fast_as_possible() => WithstandAsync(async host =>
    {
        var call = Http2Attacker.CallHeaders("/grpc.health.v1.Health/Check");
        await AllAsync(8, async () =>
        {
            using var attacker = await Http2Attacker.ConnectAsync(host);
            await attacker.WriteAsync(5000, i => (byte[])[
                .. Http2Attacker.Frame(Http2Attacker.Headers, Http2Attacker.EndHeaders, 2 * i + 1, call),
                .. Http2Attacker.Frame(Http2Attacker.Reset, 0, 2 * i + 1, [0, 0, 0, 8])]);
        });
    });

    [Fact]
    public Task What_the_attacker_sends_is_a_proper_call_when_it_wants() => WithstandAsync(async host =>
    {
        using var attacker = await Http2Attacker.ConnectAsync(host);
        await attacker.WriteAsync(1, _ => (byte[])[
            .. Http2Attacker.Frame(Http2Attacker.Headers, Http2Attacker.EndHeaders, 1, Http2Attacker.CallHeaders("/grpc.health.v1.Health/Check")),
            .. Http2Attacker.Frame(Http2Attacker.Data, Http2Attacker.EndStream, 1, new byte[5])]);

        // A message of two bytes: status = SERVING.
        await attacker.ReadUntilAsync(Http2Attacker.Headers);
        Assert.Equal([0, 0, 0, 0, 2, 8, 1], await attacker.ReadUntilAsync(Http2Attacker.Data));
    });

    [Fact]
    public Task A_header_block_that_never_ends() => WithstandAsync(async host =>
    {
        // Literal headers without end: 16 KiB frames of `x: aaaa…`.
        byte[] header = [0x00, 0x01, (byte)'x', 0x7e, .. Enumerable.Repeat((byte)'a', 126)];
        var block = Enumerable.Repeat(header, 120).SelectMany(bytes => bytes).ToArray();
        await AllAsync(4, async () =>
        {
            using var attacker = await Http2Attacker.ConnectAsync(host);
            await attacker.Socket.SendAsync(Http2Attacker.Frame(Http2Attacker.Headers, 0, 1, Http2Attacker.CallHeaders("/a/b")));
            var endless = await attacker.WriteAsync(2000, _ => Http2Attacker.Frame(Http2Attacker.Continuation, 0, 1, block));
            Assert.False(endless);
        });
    });

    [Fact]
    public Task Empty_continuations_pings_and_settings_without_reading_the_answers() => WithstandAsync(async host =>
    {
        await AllAsync(2, async () =>
        {
            using var attacker = await Http2Attacker.ConnectAsync(host);
            await attacker.Socket.SendAsync(Http2Attacker.Frame(Http2Attacker.Headers, 0, 1, Http2Attacker.CallHeaders("/a/b")));
            await attacker.WriteAsync(20_000, _ => Http2Attacker.Frame(Http2Attacker.Continuation, 0, 1, []));
        });
        await AllAsync(2, async () =>
        {
            using var attacker = await Http2Attacker.ConnectAsync(host);
            await attacker.WriteAsync(20_000, _ => Http2Attacker.Frame(Http2Attacker.Ping, 0, 0, new byte[8]));
        });
        await AllAsync(2, async () =>
        {
            using var attacker = await Http2Attacker.ConnectAsync(host);
            await attacker.WriteAsync(20_000, _ => Http2Attacker.Frame(Http2Attacker.Settings, 0, 0, []));
        });
    });

    [Fact]
    public Task Headers_that_arrive_too_slowly_in_both_versions() => WithstandAsync(async host =>
    {
        await AllAsync(50, async () =>
        {
            using var socket = await host.ConnectAsync();
            await socket.SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: a\r\nX: "));
            Assert.True(await socket.IsClosedByServerAsync());
        });
        await AllAsync(50, async () =>
        {
            using var attacker = await Http2Attacker.ConnectAsync(host);
            await attacker.Socket.SendAsync(Http2Attacker.Frame(Http2Attacker.Headers, 0, 1, Http2Attacker.CallHeaders("/a/b")));
            Assert.True(await attacker.Socket.IsClosedByServerAsync());
        });
    });

    [Fact]
    public Task A_giant_header_in_both_versions() => WithstandAsync(async host =>
    {
        await AllAsync(8, async () =>
        {
            using var socket = await host.ConnectAsync();
            var writing = socket.SendAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: a\r\nX: {new string('x', 1_000_000)}\r\n\r\n"));
            Assert.Equal("HTTP/1.1 431", Encoding.ASCII.GetString(await socket.ReadAsync(12)));
            Assert.True(await socket.IsClosedByServerAsync());
            await writing.ContinueWith(_ => { }, TaskScheduler.Default); // may have been cut off: either is fine
        });
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, host.Addresses.Single())
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Add("x-giant", new string('x', 200_000));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync(request).WaitAsync(SharedPortHost.Bound));
    });

    [Fact]
    public Task Hundreds_of_idle_connections_silent_and_not() => WithstandAsync(async host =>
    {
        List<IDisposable> held = [];
        try
        {
            for (var i = 0; i < 400; i++)
            {
                held.Add(await host.ConnectAsync());
                if (i % 4 == 0)
                {
                    held.Add(await Http2Attacker.ConnectAsync(host));
                }
            }

            await SharedPortHost.EventuallyAsync(() => host.Shared.SilentCount <= 64 && host.Shared.OpenCount < 64 + 100 + 16);
        }
        finally
        {
            held.ForEach(connection => connection.Dispose());
        }

        await SharedPortHost.EventuallyAsync(() => host.Shared.SilentCount == 0);
    });

    /// <summary>Attacks, and fails if an honest client was ever refused or the server's memory grew without bound.</summary>
    private static async Task WithstandAsync(Func<SharedPortHost, Task> attack)
    {
        await using var host = await SharedPortHost.StartAsync(
            options =>
            {
                options.ConfigureRpcLimits(new RpcServerLimits { RequestHeadersTimeout = TimeSpan.FromSeconds(1) });
                options.ListenShared(IPAddress.Loopback, 0);
            },
            limits => limits.MaxSilentConnections = 64,
            services: services =>
            {
                // Kestrel logs as an error that it closed a connection for resetting too fast: here that is the defence at work.
                services.AddLogging(logging => logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.Http2", LogLevel.None));
                services.AddGrpcHealthChecks();
            },
            map: app =>
            {
                app.MapGrpcHealthChecksService();
                app.MapHealthEndpoints();
            });
        using var channel = GrpcChannel.ForAddress(host.Addresses.Single());
        using var http = new HttpClient { BaseAddress = new Uri(host.Addresses.Single()) };
        var health = new HealthClient(channel);
        await AskAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var attacking = attack(host);
        do
        {
            await AskAsync();
        }
        while (!attacking.IsCompleted);

        await attacking;
        await AskAsync();
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, MaxGrowthBytes);

        async Task AskAsync()
        {
            Assert.Equal(ServingStatus.Serving, (await health.CheckAsync(new()).ResponseAsync.WaitAsync(SharedPortHost.Bound)).Status);
            Assert.Equal("ok", await http.GetStringAsync(new Uri("/healthz", UriKind.Relative)).WaitAsync(SharedPortHost.Bound));
        }
    }

    private static Task AllAsync(int count, Func<Task> attack) => Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(attack)));
}
