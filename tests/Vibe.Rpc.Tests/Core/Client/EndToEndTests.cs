using Google.Protobuf.WellKnownTypes;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Rpc.Tests.Server;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Core.Client;

/// <summary>The client and the server of this runtime, over one connection.</summary>
public sealed class EndToEndTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_four_kinds_of_call_work_with_and_without_compression(bool compress)
    {
        await using var server = await RpcTestServer.StartAsync(options => Configure(options, compress));
        using var channel = GrpcChannel.ForAddress(server.Http2, new() { CompressRequests = compress });
        var client = new RpcTestService.RpcTestServiceClient(channel);

        var request = new EchoRequest { Name = new string('n', 2000), Words = { "a", "ü" }, PaddingBytes = 100_000 };
        var echo = await client.EchoAsync(request);
        Assert.Equal(request.Name, echo.Name);
        Assert.Equal(request.Words, echo.Words);
        Assert.Equal(100_000, echo.Padding.Length);

        using var expand = client.Expand(new() { Count = 1000, PaddingBytes = 300 });
        var next = 0;
        await foreach (var message in expand.ResponseStream.ReadAllAsync())
        {
            Assert.Equal(next++, message.Index);
        }

        Assert.Equal(1000, next);

        using var collect = client.Collect();
        collect.RequestStream.WriteOptions = new(WriteFlags.BufferHint);
        for (var i = 1; i <= 5000; i++)
        {
            await collect.RequestStream.WriteAsync(new() { Number = i });
        }

        await collect.RequestStream.CompleteAsync();
        var sum = await collect;
        Assert.Equal(5000, sum.Count);
        Assert.Equal(5000L * 5001 / 2, sum.Sum);

        using var chat = client.Chat();
        for (var i = 0; i < 50; i++)
        {
            await chat.RequestStream.WriteAsync(new() { Text = $"line {i}" });
            Assert.True(await chat.ResponseStream.MoveNext().WaitAsync(Soon));
            Assert.Equal($"line {i}", chat.ResponseStream.Current.Text);
        }

        await chat.RequestStream.CompleteAsync();
        Assert.False(await chat.ResponseStream.MoveNext().WaitAsync(Soon));
    }

    [Fact]
    public async Task Metadata_travels_both_ways()
    {
        await using var server = await RpcTestServer.StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Http2);
        var metadata = new Metadata { { "x-text", "t" }, { "x-bytes-bin", [0, 255] }, { "x-bytes-bin", [1] } };
        using var call = new RpcTestService.RpcTestServiceClient(channel).HeadersAsync(
            new() { Headers = { ["x-h"] = "1", ["x-h-bin"] = "AAE=" }, Trailers = { ["x-t"] = "2", ["x-t-bin"] = "/w==" } }, metadata);
        var seen = (await call).Metadata;
        Assert.Equal("t", seen["x-text"]);
        Assert.Equal("AP8=,AQ==", seen["x-bytes-bin"]);
        var headers = await call.ResponseHeadersAsync;
        Assert.Equal("1", headers.GetValue("x-h"));
        Assert.Equal([0, 1], headers.GetValueBytes("x-h-bin"));
        Assert.Equal("2", call.GetTrailers().GetValue("x-t"));
        Assert.Equal([255], call.GetTrailers().GetValueBytes("x-t-bin"));
    }

    [Fact]
    public async Task A_failure_arrives_with_its_reason_also_after_messages()
    {
        await using var server = await RpcTestServer.StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Http2);
        var client = new RpcTestService.RpcTestServiceClient(channel);
        var fail = new FailRequest { Code = 9, Message = "nicht möglich: 100%", Reason = "NOT_NOW" };
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await client.FailAsync(fail));
        AssertFailure(exception);

        using var call = client.Expand(new() { Count = 3, Fail = fail });
        var received = 0;
        exception = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (var _ in call.ResponseStream.ReadAllAsync())
            {
                received++;
            }
        });
        AssertFailure(exception);
        Assert.Equal(3, received);
        Assert.Equal(StatusCode.FailedPrecondition, call.GetStatus().StatusCode);

        static void AssertFailure(RpcException exception)
        {
            Assert.Equal(StatusCode.FailedPrecondition, exception.StatusCode);
            Assert.Equal("nicht möglich: 100%", exception.Status.Detail);
            Assert.Equal("NOT_NOW", exception.GetErrorInfo()?.Reason);
        }
    }

    [Fact]
    public async Task A_method_that_does_not_exist_is_unimplemented()
    {
        await using var server = await RpcTestServer.StartAsync(map: app => app.MapGet("/", () => "nothing here"));
        using var channel = GrpcChannel.ForAddress(server.Http2);
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await new RpcTestService.RpcTestServiceClient(channel).EchoAsync(new()));
        Assert.Equal(StatusCode.Unimplemented, exception.StatusCode);
    }

    [Fact]
    public async Task Many_calls_at_once_all_get_their_own_answer()
    {
        await using var server = await RpcTestServer.StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Http2);
        var client = new RpcTestService.RpcTestServiceClient(channel);
        await Task.WhenAll(Enumerable.Range(0, 500).Select(async i =>
            Assert.Equal($"{i}", (await client.EchoAsync(new() { Name = $"{i}", PaddingBytes = i })).Name))).WaitAsync(Soon);
    }

    [Fact]
    public async Task Calls_given_up_at_any_moment_end_once_and_leave_the_connection_usable()
    {
        await using var server = await RpcTestServer.StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Http2);
        var client = new RpcTestService.RpcTestServiceClient(channel);
        var random = new Random(20);
        var delays = Enumerable.Range(0, 200).Select(_ => random.Next(0, 3000)).ToArray();
        await Task.WhenAll(delays.Select(microseconds => GiveUpAsync(client, TimeSpan.FromMicroseconds(microseconds)))).WaitAsync(Soon);
        Assert.Equal("still here", (await client.EchoAsync(new() { Name = "still here" })).Name);
    }

    [Fact]
    public async Task A_deadline_is_known_to_the_server()
    {
        await using var server = await RpcTestServer.StartAsync();
        using var channel = GrpcChannel.ForAddress(server.Http2);
        var client = new RpcTestService.RpcTestServiceClient(channel);
        var deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(200);
        var wait = new WaitRequest { Delay = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)) };
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await client.WaitAsync(wait, deadline: deadline));
        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
    }

    private static void Configure(GrpcServiceOptions options, bool compress) =>
        options.ResponseCompressionAlgorithm = compress ? "gzip" : null;

    private static async Task GiveUpAsync(RpcTestService.RpcTestServiceClient client, TimeSpan after)
    {
        using var cancellation = new CancellationTokenSource(after);
        using var call = client.Chat(cancellationToken: cancellation.Token);
        try
        {
            while (true)
            {
                await call.RequestStream.WriteAsync(new() { Text = "on and on" });
                Assert.True(await call.ResponseStream.MoveNext());
            }
        }
        catch (RpcException exception)
        {
            Assert.Equal(StatusCode.Cancelled, exception.StatusCode);
        }

        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }
}
