using System.Buffers;
using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Rpc.Wire;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Core.Client;

/// <summary>What the client makes of responses, odd ones above all.</summary>
public sealed class ResponseTests
{
    private static readonly EchoRequest Request = new() { Name = "ping" };
    private static readonly EchoResponse Response = new() { Name = "pong" };

    [Fact]
    public async Task A_unary_call_returns_message_headers_and_trailers()
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            context.Response.Headers["x-header"] = "h";
            context.Response.Headers["x-bytes-bin"] = "AQI,Aw==";
            context.Response.Headers["x-broken-bin"] = "?";
            await context.SendAsync(RawGrpc.Frame(Response));
            context.Response.AppendTrailer("x-trailer", "t");
            context.End();
        });
        using var call = server.Client().EchoAsync(Request);
        var headers = await call.ResponseHeadersAsync;
        Assert.Equal("pong", (await call).Name);
        Assert.Equal("h", headers.GetValue("x-header"));
        Assert.Equal([[1, 2], [3]], headers.GetAll("x-bytes-bin").Select(e => e.ValueBytes));
        Assert.Null(headers.Get("x-broken-bin"));
        Assert.Null(headers.Get("content-type"));
        Assert.True(headers.IsReadOnly);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Equal(["x-trailer"], call.GetTrailers().Select(e => e.Key));
    }

    [Fact]
    public async Task The_request_carries_the_protocol_s_headers_and_the_metadata()
    {
        IHeaderDictionary? headers = null;
        var path = "";
        await using var server = await RawServer.StartAsync(async context =>
        {
            headers = context.Request.Headers;
            path = context.Request.Path;
            var request = await context.ReadAsync();
            Assert.Equal("ping", EchoRequest.Parser.ParseFrom(request!.Value.Payload).Name);
            await context.SendAsync(RawGrpc.Frame(Response));
            context.End();
        });
        var metadata = new Metadata { { "x-text", "a" }, { "x-text", "b" }, { "x-bytes-bin", [1, 2, 3, 4] }, { "te", "gzip" } };
        await server.Client().EchoAsync(Request, metadata);
        Assert.Equal("/vibe.rpctest.v1.RpcTestService/Echo", path);
        Assert.Equal("trailers", headers!["te"]);
        Assert.Equal("application/grpc", headers["content-type"]);
        Assert.Equal("identity,gzip", headers["grpc-accept-encoding"]);
        Assert.Equal(["a", "b"], headers["x-text"].SelectMany(v => v!.Split(',')).Select(v => v.Trim()));
        Assert.Equal("AQIDBA", headers["x-bytes-bin"]);
        Assert.StartsWith("grpc-dotnet-vibe/", headers.UserAgent.ToString(), StringComparison.Ordinal);
        Assert.False(headers.ContainsKey("grpc-timeout"));
        metadata.Add("x-more", "the caller's metadata is not frozen");
    }

    [Fact]
    public async Task A_status_in_the_headers_ends_the_call_with_its_details()
    {
        var details = RpcErrors.Create(StatusCode.NotFound, "grüße, 100%", "GONE", "test").GetRpcStatus()!;
        await using var server = await RawServer.StartAsync(context =>
        {
            context.EndAtOnce(5, PercentEncoding.Encode("grüße, 100%"));
            context.Response.Headers["grpc-status-details-bin"] = Convert.ToBase64String(Google.Protobuf.MessageExtensions.ToByteArray(details));
            context.Response.Headers["x-more"] = "m";
            return Task.CompletedTask;
        });
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await server.Client().EchoAsync(Request));
        Assert.Equal(StatusCode.NotFound, exception.StatusCode);
        Assert.Equal("grüße, 100%", exception.Status.Detail);
        Assert.Equal("GONE", exception.GetErrorInfo()?.Reason);
        Assert.Equal("m", exception.Trailers.GetValue("x-more"));
    }

    [Fact]
    public async Task A_status_in_the_trailers_wins_over_a_message()
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            await context.SendAsync(RawGrpc.Frame(Response));
            context.End(10, "changed");
        });
        await FailsAsync(server, StatusCode.Aborted, "changed");
    }

    [Fact]
    public async Task A_response_without_a_status_is_unknown()
    {
        await using var server = await RawServer.StartAsync(context => context.SendAsync(RawGrpc.Frame(Response)));
        await FailsAsync(server, StatusCode.Unknown, "grpc-status");
    }

    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(302, StatusCode.Unknown)]
    public async Task An_http_error_of_something_on_the_way_is_mapped(int http, StatusCode code)
    {
        await using var server = await RawServer.StartAsync(context =>
        {
            context.Response.StatusCode = http;
            context.Response.Headers.Location = "https://elsewhere.invalid/";
            return context.Response.WriteAsync("<html>sorry</html>");
        });
        await FailsAsync(server, code, $"HTTP {http}");
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/grpc-web")]
    [InlineData("application/grpcish")]
    public async Task Another_content_type_is_no_grpc(string contentType)
    {
        await using var server = await RawServer.StartAsync(context =>
        {
            context.Response.ContentType = contentType;
            return context.Response.WriteAsync("hello");
        });
        await FailsAsync(server, StatusCode.Unknown, contentType);
    }

    [Theory]
    [InlineData(0x2, StatusCode.Internal)]
    [InlineData(0x8, StatusCode.Cancelled)]
    [InlineData(0x7, StatusCode.Unavailable)]
    [InlineData(0xB, StatusCode.ResourceExhausted)]
    [InlineData(0xC, StatusCode.PermissionDenied)]
    public async Task A_reset_before_and_after_the_headers_is_mapped(int reset, StatusCode code)
    {
        var start = false;
        await using var server = await RawServer.StartAsync(async context =>
        {
            if (start)
            {
                await context.SendAsync(RawGrpc.Frame(Response));
            }

            context.Reset(reset);
        });
        foreach (var headersFirst in new[] { false, true })
        {
            start = headersFirst;
            await FailsAsync(server, code, "");
            using var chat = server.Client().Chat();
            var exception = await Assert.ThrowsAsync<RpcException>(() => ReadAllAsync(chat.ResponseStream));
            Assert.Equal(code, exception.StatusCode);
            exception = await Assert.ThrowsAsync<RpcException>(() => chat.RequestStream.WriteAsync(new()));
            Assert.Equal(code, exception.StatusCode);
        }
    }

    // The handler cancels the stream of requests when the server resets it, and reports what the stream throws in place of the
    // reset: the reset may come while the very first flush still waits.
    [Fact]
    public async Task A_reset_during_the_first_flush_keeps_its_meaning()
    {
        using var handler = new ResetDuringFlush();
        using var channel = GrpcChannel.ForAddress("http://localhost", new() { HttpHandler = handler });
        using var chat = new RpcTestService.RpcTestServiceClient(channel).Chat();
        var exception = await Assert.ThrowsAsync<RpcException>(() => ReadAllAsync(chat.ResponseStream));
        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
    }

    [Fact]
    public async Task A_length_over_the_limit_fails_before_anything_is_buffered()
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            await context.SendAsync(RawGrpc.Frame([1, 2, 3], announced: uint.MaxValue));
            await context.UntilAbortedAsync();
        });
        await FailsAsync(server, StatusCode.ResourceExhausted, "4194304");
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
        await FailsAsync(server, StatusCode.Unimplemented, "message");
    }

    [Fact]
    public async Task An_ok_in_the_headers_is_no_unary_response_and_an_empty_stream()
    {
        await using var server = await RawServer.StartAsync(context =>
        {
            context.EndAtOnce(0);
            return Task.CompletedTask;
        });
        await FailsAsync(server, StatusCode.Unimplemented, "message");
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

    private static async Task FailsAsync(RawServer server, StatusCode code, string detail)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await server.Client().EchoAsync(Request));
        Assert.Equal(code, exception.StatusCode);
        Assert.Contains(detail, exception.Status.Detail, StringComparison.Ordinal);
    }

    private static async Task ReadAllAsync<T>(IAsyncStreamReader<T> stream)
    {
        while (await stream.MoveNext())
        {
        }
    }

    private static byte[] Deflate(byte[] message)
    {
        using var buffer = new PooledBuffer();
        Gzip.Deflate(new ReadOnlySequence<byte>(message), buffer);
        return buffer.WrittenMemory.ToArray();
    }

    private sealed class ResetDuringFlush : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var stream = new StuckStream();
            using var reset = new CancellationTokenSource();
            var sending = request.Content!.CopyToAsync(stream, reset.Token);
            await stream.Flushing;
            await reset.CancelAsync();
            await sending;
            throw new HttpRequestException("reset", new HttpProtocolException(0xB, "ENHANCE_YOUR_CALM", innerException: null));
        }
    }

    private sealed class StuckStream : MemoryStream
    {
        private readonly TaskCompletionSource _flushing = new();

        public Task Flushing => _flushing.Task;

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            _flushing.TrySetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
    }
}
