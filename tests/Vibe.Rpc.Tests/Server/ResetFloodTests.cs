using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Vibe.Rpc.Hosting;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>Opening and resetting streams without end (CVE-2023-44487) costs the attacker the connection, and the server a bounded number of calls.</summary>
public sealed class ResetFloodTests
{
    private const int MaxStreams = 10;

    /// <summary>Kestrel counts a reset stream until its call has ended: twice the limit, and at least 100.</summary>
    private const int TrackedStreams = 100;

    [Fact]
    public async Task A_flood_of_resets_closes_the_connection_after_a_bounded_number_of_calls()
    {
        var calls = 0;
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var probe = new Probe
        {
            // The worst handler: it does not notice that its client has gone.
            OnEcho = async (_, _) =>
            {
                Interlocked.Increment(ref calls);
                await release.Task;
                return new EchoResponse();
            },
        };
        await using var server = await RpcTestServer.StartAsync(
            services: services => services.AddSingleton(probe),
            map: app => app.MapGrpcService<Probe>(),
            limits: new RpcServerLimits { MaxStreamsPerConnection = MaxStreams });
        using var socket = new TcpClient();
        await socket.ConnectAsync(server.Http2.Host, server.Http2.Port);
        var wire = socket.GetStream();
        var flooding = FloodAsync(wire, server.Http2.Authority);

        await ReadToEndAsync(wire).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.InRange(calls, 0, TrackedStreams);
        release.SetResult();
        await flooding.WaitAsync(TimeSpan.FromSeconds(60));
        socket.Close();
        await server.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));

        // Kestrel itself reports the attack as an error when the answers to the flood pile up; nothing else may.
        Assert.All(server.TakeErrors(), error => Assert.StartsWith("Microsoft.AspNetCore.Server.Kestrel.Http2", error, StringComparison.Ordinal));
    }

    private static async Task FloodAsync(NetworkStream wire, string authority)
    {
        try
        {
            await wire.WriteAsync(Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
            await wire.WriteAsync(Frame(4, 0, 0, []));
            for (var stream = 1; stream < 20_000; stream += 2)
            {
                // A whole message, so that each stream reaches the handler before its reset.
                await wire.WriteAsync((byte[])[
                    .. Frame(1, 4, stream, Headers(authority)), .. Frame(0, 1, stream, [0, 0, 0, 0, 0]), .. Frame(3, 0, stream, [0, 0, 0, 8])]);
            }
        }
        catch (IOException)
        {
            // The connection is closed: what the test is about.
        }
    }

    private static async Task ReadToEndAsync(NetworkStream wire)
    {
        try
        {
            await wire.CopyToAsync(Stream.Null);
        }
        catch (IOException)
        {
            // Whether the server says goodbye first depends on which of its limits is reached first.
        }
    }

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        (frame[0], frame[1], frame[2]) = ((byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return frame;
    }

    // HPACK: indexed :method POST and :scheme http, then literals without indexing.
    private static byte[] Headers(string authority) =>
    [
        0x83, 0x86, .. Literal([0x04], "/vibe.rpctest.v1.RpcTestService/Echo"), .. Literal([0x01], authority), .. Literal([0x0f, 0x10], "application/grpc"),
    ];

    private static byte[] Literal(byte[] name, string value) => [.. name, (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];
}
