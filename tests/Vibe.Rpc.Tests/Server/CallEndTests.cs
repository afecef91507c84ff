using System.Net;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>Deadlines and cancellation: who wins, what the client sees, and that nothing is left behind.</summary>
public sealed class CallEndTests : IAsyncLifetime
{
    private static readonly WaitRequest LongWait = new() { Delay = new() { Seconds = 30 } };

    private RpcTestServer _server = null!;
    public async Task InitializeAsync() => _server = await RpcTestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_deadline_is_never_taken_for_a_cancellation()
    {
        var protocol = new WireProtocol(Family.Grpc);
        for (var round = 0; round < 200; round++)
        {
            var microseconds = (round * 37) % 3000;
            var result = await _server.CallAsync<WaitResponse>(
                protocol, "Wait", streams: false, [LongWait], headers => headers.Add("grpc-timeout", $"{microseconds}u"));
            Assert.Equal(StatusCode.DeadlineExceeded, result.Code);
        }

        await _server.Watch.NoneAsync();
    }

    [Theory]
    [InlineData(Family.GrpcWeb, 1, "0n")]
    [InlineData(Family.GrpcWeb, 1, "20m")]
    [InlineData(Family.GrpcWebText, 1, "20m")]
    [InlineData(Family.Connect, 1, "20")]
    [InlineData(Family.Connect, 1, "0")]
    [InlineData(Family.Grpc, 2, "20m")]
    public async Task A_deadline_ends_a_read_that_waits_for_the_client(Family family, int version, string timeout)
    {
        using var client = new OneConnection();
        var protocol = new WireProtocol(family, HttpVersion: version);
        using var request = WireCall.Request(_server, protocol, "Collect", streams: true, []);
        var first = WireCall.Frame(new CollectRequest { Number = 1 }.ToByteArray());
        first = family == Family.GrpcWebText ? Encoding.ASCII.GetBytes(Convert.ToBase64String(first)) : first;
        using var body = new OpenContent(request.Content!.Headers.ContentType!, first);
        request.Content = body;
        request.Headers.Add(protocol.IsConnect ? "Connect-Timeout-Ms" : "grpc-timeout", timeout);
        var sending = client.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (version == 1)
        {
            // HTTP/1.1 has no way to take back half a request: the answer comes, then the client ends its body.
            await _server.Watch.StartedAsync(1);
            await _server.Watch.NoneAsync();
            body.End();
        }

        using var response = await sending.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(StatusCode.DeadlineExceeded, (await WireAnswer.ReadAsync<CollectResponse>(protocol, streams: true, response)).Code);
        body.End();
        using var next = WireCall.Request(_server, new(Family.GrpcWeb, HttpVersion: version), "Echo", streams: false, [new EchoRequest()]);
        using var answer = await client.Http.SendAsync(next).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await _server.Watch.NoneAsync();
    }

    [Theory]
    [InlineData("grpc-timeout", "soon")]
    [InlineData("grpc-timeout", "123456789S")]
    [InlineData("grpc-timeout", "-1S")]
    public async Task A_malformed_timeout_is_refused(string name, string value)
    {
        var result = await _server.CallAsync<WaitResponse>(
            new(Family.Grpc), "Wait", streams: false, [LongWait], headers => headers.TryAddWithoutValidation(name, value));
        Assert.Equal(StatusCode.InvalidArgument, result.Code);
    }

    [Fact]
    public async Task A_deadline_in_a_hundred_years_is_one()
    {
        var result = await _server.CallAsync<EchoResponse>(
            new(Family.Grpc), "Echo", streams: false, [new EchoRequest()], headers => headers.Add("grpc-timeout", "99999999H"));
        result.Single();
    }

    [Theory]
    [InlineData(Family.Grpc, 2)]
    [InlineData(Family.GrpcWeb, 1)]
    [InlineData(Family.Connect, 1)]
    public async Task A_client_that_leaves_fires_the_handlers_token(Family family, int version)
    {
        using var leave = new CancellationTokenSource();
        var call = _server.CallAsync<WaitResponse>(
            new(family, HttpVersion: version), "Wait", streams: false, [LongWait], cancellationToken: leave.Token);
        await _server.Watch.StartedAsync(1);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await _server.Watch.NoneAsync();
        Assert.True(_server.Service.CancelledCount <= 1);
    }

    [Theory]
    [InlineData(Family.Grpc, 2)]
    [InlineData(Family.GrpcWeb, 2)]
    [InlineData(Family.Connect, 1)]
    [InlineData(Family.GrpcWebText, 1)]
    public async Task Cancelling_at_random_points_leaves_nothing_behind(Family family, int version)
    {
        var random = new Random(7);
        var protocol = new WireProtocol(family, HttpVersion: version);
        var calls = Enumerable.Range(0, 200).Select(async index =>
        {
            using var leave = new CancellationTokenSource(TimeSpan.FromMicroseconds(random.Next(20_000)));
            try
            {
                Task call = (index % 4) switch
                {
                    0 => _server.CallAsync<WaitResponse>(protocol, "Wait", false, [LongWait], cancellationToken: leave.Token),
                    1 => _server.CallAsync<ExpandResponse>(
                        protocol, "Expand", true, [new ExpandRequest { Count = 1000, PaddingBytes = 2000 }], cancellationToken: leave.Token),
                    2 => _server.CallAsync<CollectResponse>(
                        protocol, "Collect", true, Enumerable.Repeat(new CollectRequest { Number = 1 }, 2000), cancellationToken: leave.Token),
                    _ => _server.CallAsync<ChatResponse>(
                        protocol, "Chat", true, Enumerable.Repeat(new ChatRequest { Text = "hello" }, 500), cancellationToken: leave.Token),
                };
                await call;
            }
            catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException)
            {
                // Which of them a client sees is its own affair.
            }
        }).ToList();
        await Task.WhenAll(calls).WaitAsync(TimeSpan.FromSeconds(60));
        await _server.Watch.NoneAsync();

        var next = await _server.CallAsync<EchoResponse>(protocol, "Echo", false, [new EchoRequest { Name = "still here" }]);
        Assert.Equal("still here", next.Single().Name);
    }

    [Theory]
    [InlineData(Family.Grpc)]
    [InlineData(Family.Connect)]
    public async Task A_duplex_stream_is_answered_while_it_is_sent(Family family)
    {
        var protocol = new WireProtocol(family);
        using var request = WireCall.Request(_server, protocol, "Chat", streams: true, []);
        using var body = new OpenContent(request.Content!.Headers.ContentType!, WireCall.Frame(new ChatRequest { Text = "one" }.ToByteArray()));
        request.Content = body;
        using var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(TimeSpan.FromSeconds(60));
        await using var answers = await response.Content.ReadAsStreamAsync();
        var frame = new byte[5 + new ChatResponse { Text = "one" }.CalculateSize()];
        await answers.ReadExactlyAsync(frame).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        await body.SendAsync(WireCall.Frame(new ChatRequest { Text = "two" }.ToByteArray()));
        await answers.ReadExactlyAsync(frame).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("two", ChatResponse.Parser.ParseFrom(frame, 5, frame.Length - 5).Text);
        body.End();
        Assert.Equal(family == Family.Grpc ? 0 : 7, await answers.ReadAtLeastAsync(new byte[64], 64, throwOnEndOfStream: false));
    }
}
