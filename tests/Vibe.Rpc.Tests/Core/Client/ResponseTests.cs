using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Rpc.Wire;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Core.Client;

/// <summary>What the client makes of the headers, status and end of responses, odd ones above all.</summary>
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
        await server.FailsAsync(StatusCode.Aborted, "changed");
    }

    [Fact]
    public async Task A_response_without_a_status_is_unknown()
    {
        await using var server = await RawServer.StartAsync(context => context.SendAsync(RawGrpc.Frame(Response)));
        await server.FailsAsync(StatusCode.Unknown, "grpc-status");
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
        await server.FailsAsync(code, $"HTTP {http}");
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
        await server.FailsAsync(StatusCode.Unknown, contentType);
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
            await server.FailsAsync(code, "");
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

    private static async Task ReadAllAsync<T>(IAsyncStreamReader<T> stream)
    {
        while (await stream.MoveNext())
        {
        }
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
