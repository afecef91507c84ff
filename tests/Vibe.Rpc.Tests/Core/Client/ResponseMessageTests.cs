using System.Buffers;
using Grpc.Core;
using Vibe.Rpc.Wire;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Core.Client;

/// <summary>What the client makes of the messages of a response: their number, length, compression, and whatever else bytes can be.</summary>
public sealed class ResponseMessageTests
{
    private static readonly EchoRequest Request = new() { Name = "ping" };
    private static readonly EchoResponse Response = new() { Name = "pong" };

    [Fact]
    public async Task A_length_over_the_limit_fails_before_anything_is_buffered()
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            await context.SendAsync(RawGrpc.Frame([1, 2, 3], announced: uint.MaxValue));
            await context.UntilAbortedAsync();
        });
        await server.FailsAsync(StatusCode.ResourceExhausted, "4194304");
    }

    [Fact]
    public async Task A_length_under_an_unlimited_limit_allocates_only_what_arrives()
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            await context.SendAsync(RawGrpc.Frame([1, 2, 3], announced: int.MaxValue));
            context.End();
        });
        using var channel = server.Channel(options => options.MaxReceiveMessageSize = null);
        var before = GC.GetTotalAllocatedBytes();
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await new RpcTestService.RpcTestServiceClient(channel).EchoAsync(Request));
        Assert.Equal(StatusCode.Internal, exception.StatusCode);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 64 * 1024 * 1024);
    }

    [Fact]
    public async Task A_message_larger_than_any_buffer_arrives_whole()
    {
        var padding = new byte[3_000_000];
        new Random(5).NextBytes(padding);
        var large = new EchoResponse { Padding = Google.Protobuf.ByteString.CopyFrom(padding) };
        await using var server = await RawServer.StartAsync(async context =>
        {
            await context.SendAsync(RawGrpc.Frame(large));
            context.End();
        });
        Assert.Equal(large, await server.Client().EchoAsync(Request));
    }

    [Fact]
    public async Task Messages_split_at_every_byte_arrive_whole()
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            foreach (var b in RawGrpc.Frame(new ExpandResponse { Index = 1 }).Concat(RawGrpc.Frame(new ExpandResponse { Index = 2 })))
            {
                await context.SendAsync([b]);
            }

            context.End();
        });
        var indexes = new List<int>();
        await foreach (var message in server.Client().Expand(new()).ResponseStream.ReadAllAsync())
        {
            indexes.Add(message.Index);
        }

        Assert.Equal([1, 2], indexes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_unary_call_needs_exactly_one_message(int count)
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            await context.StartAsync();
            for (var i = 0; i < count; i++)
            {
                await context.SendAsync(RawGrpc.Frame(Response));
            }

            context.End();
        });
        await server.FailsAsync(StatusCode.Unimplemented, "message");
    }

    [Fact]
    public async Task An_ok_in_the_headers_is_no_unary_response_and_an_empty_stream()
    {
        await using var server = await RawServer.StartAsync(context =>
        {
            context.EndAtOnce(0);
            return Task.CompletedTask;
        });
        await server.FailsAsync(StatusCode.Unimplemented, "message");
        using var call = server.Client().Expand(new());
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Empty(await call.ResponseHeadersAsync);
    }

    [Theory]
    [InlineData("ended early", StatusCode.Internal)]
    [InlineData("unknown flags", StatusCode.Internal)]
    [InlineData("no protobuf", StatusCode.Internal)]
    [InlineData("compressed without encoding", StatusCode.Internal)]
    [InlineData("unknown encoding", StatusCode.Internal)]
    [InlineData("bad gzip", StatusCode.Internal)]
    [InlineData("gzip cut short", StatusCode.Internal)]
    [InlineData("gzip bomb", StatusCode.ResourceExhausted)]
    public async Task A_broken_message_fails_the_call_and_only_the_call(string fault, StatusCode code)
    {
        string? current = fault;
        await using var server = await RawServer.StartAsync(async context =>
        {
            if (current is "unknown encoding")
            {
                context.Response.Headers["grpc-encoding"] = "snappy";
            }
            else if (current?.Contains("gzip", StringComparison.Ordinal) == true)
            {
                context.Response.Headers["grpc-encoding"] = "gzip";
            }

            await context.SendAsync(current switch
            {
                "ended early" => RawGrpc.Frame([8], announced: 10),
                "unknown flags" => RawGrpc.Frame(Response, flags: 4),
                "no protobuf" => RawGrpc.Frame([0xFF, 0xFF, 0xFF]),
                "bad gzip" or "compressed without encoding" or "unknown encoding" => RawGrpc.Frame([1, 2, 3, 4], flags: 1),
                "gzip cut short" => RawGrpc.Frame(Deflate(new byte[10_000])[..^6], flags: 1),
                "gzip bomb" => RawGrpc.Frame(Deflate(new byte[5_000_000]), flags: 1),
                _ => RawGrpc.Frame(Response),
            });
            context.End();
        });
        var client = server.Client();
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await client.EchoAsync(Request));
        Assert.Equal(code, exception.StatusCode);
        current = null;
        Assert.Equal("pong", (await client.EchoAsync(Request)).Name);
    }

    [Fact]
    public async Task A_gzip_response_is_inflated()
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            context.Response.Headers["grpc-encoding"] = "gzip";
            await context.SendAsync(RawGrpc.Frame(Deflate(Google.Protobuf.MessageExtensions.ToByteArray(Response)), flags: 1));
            context.End();
        });
        Assert.Equal("pong", (await server.Client().EchoAsync(Request)).Name);
    }

    [Fact]
    public async Task Arbitrary_bytes_do_no_worse_than_fail_their_call()
    {
        var random = new Random(11);
        var body = Array.Empty<byte>();
        await using var server = await RawServer.StartAsync(async context =>
        {
            context.Response.Headers["grpc-encoding"] = "gzip";
            await context.SendAsync(body);
            context.End();
        });
        var client = server.Client();
        for (var i = 0; i < 300; i++)
        {
            body = RawGrpc.Frame(Response);
            random.NextBytes(body.AsSpan(random.Next(body.Length), 1));
            body = body[..random.Next(body.Length + 1)];
            try
            {
                await client.EchoAsync(Request);
            }
            catch (RpcException exception)
            {
                Assert.Contains(
                    exception.StatusCode, new[] { StatusCode.Internal, StatusCode.ResourceExhausted, StatusCode.Unimplemented });
            }
        }

        body = RawGrpc.Frame(Response);
        Assert.Equal("pong", (await client.EchoAsync(Request)).Name);
    }

    private static byte[] Deflate(byte[] message)
    {
        using var buffer = new PooledBuffer();
        Gzip.Deflate(new ReadOnlySequence<byte>(message), buffer);
        return buffer.WrittenMemory.ToArray();
    }
}
