using System.Net;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>Every call kind through every protocol, codec, compression and HTTP version.</summary>
public sealed class ProtocolMatrixTests : IAsyncLifetime
{
    private RpcTestServer _server = null!;

    public static TheoryData<WireProtocol> UnaryProtocols => [.. WireProtocol.Unary];

    public static TheoryData<WireProtocol> StreamProtocols => [.. WireProtocol.All];

    public async Task InitializeAsync() => _server = await RpcTestServer.StartAsync(options =>
    {
        options.ResponseCompressionAlgorithm = "gzip";
        options.ResponseCompressionMinimumBytes = 16;
    });

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(UnaryProtocols))]
    public async Task A_unary_call_returns_its_message(WireProtocol protocol)
    {
        var request = new EchoRequest { Name = "naïve ✓", Words = { "a", "b" }, PaddingBytes = 100, Message = new() { Int64Value = long.MaxValue } };
        var result = await _server.CallAsync<EchoResponse>(protocol, "Echo", streams: false, [request]);

        var response = result.Single();
        Assert.Equal(HttpStatusCode.OK, result.Http);
        Assert.Equal(request.Name, response.Name);
        Assert.Equal(request.Words, response.Words);
        Assert.Equal(request.Message, response.Message);
        Assert.Equal(100, response.Padding.Length);
    }

    [Theory]
    [MemberData(nameof(UnaryProtocols))]
    public async Task An_empty_message_is_a_message(WireProtocol protocol)
    {
        var result = await _server.CallAsync<EchoResponse>(protocol, "Echo", streams: false, [new EchoRequest()]);
        Assert.Equal(new EchoResponse(), result.Single());
    }

    [Theory]
    [MemberData(nameof(StreamProtocols))]
    public async Task A_failed_unary_call_keeps_code_message_and_details(WireProtocol protocol)
    {
        var request = new FailRequest { Code = (int)StatusCode.NotFound, Message = "no \"such\" 100% ✓", Reason = "NOTHING_THERE" };
        var result = await _server.CallAsync<FailResponse>(protocol, "Fail", streams: false, [request]);

        Assert.Equal((StatusCode.NotFound, request.Message), (result.Code, result.Message));
        Assert.Equal("NOTHING_THERE", result.Details?.GetDetail<ErrorInfo>()?.Reason);
        Assert.Equal(protocol.IsConnect ? HttpStatusCode.NotFound : HttpStatusCode.OK, result.Http);
        Assert.Empty(result.Responses);
    }

    [Theory]
    [MemberData(nameof(StreamProtocols))]
    public async Task A_server_stream_returns_its_messages_in_order(WireProtocol protocol)
    {
        var request = new ExpandRequest { Count = 20, PaddingBytes = 300 };
        var result = await _server.CallAsync<ExpandResponse>(protocol, "Expand", streams: true, [request]);

        Assert.Equal(StatusCode.OK, result.Code);
        Assert.Equal(Enumerable.Range(0, 20), result.Responses.Select(response => response.Index));
    }

    [Theory]
    [MemberData(nameof(StreamProtocols))]
    public async Task A_stream_that_fails_keeps_what_came_before(WireProtocol protocol)
    {
        var request = new ExpandRequest { Count = 3, Fail = new() { Code = (int)StatusCode.Aborted, Message = "enough", Reason = "ENOUGH" } };
        var result = await _server.CallAsync<ExpandResponse>(protocol, "Expand", streams: true, [request]);

        Assert.Equal(HttpStatusCode.OK, result.Http);
        Assert.Equal((StatusCode.Aborted, "enough"), (result.Code, result.Message));
        Assert.Equal("ENOUGH", result.Details?.GetDetail<ErrorInfo>()?.Reason);
        Assert.Equal(3, result.Responses.Count);
    }

    [Theory]
    [MemberData(nameof(StreamProtocols))]
    public async Task A_stream_without_messages_ends_well(WireProtocol protocol)
    {
        var result = await _server.CallAsync<ExpandResponse>(protocol, "Expand", streams: true, [new ExpandRequest()]);
        Assert.Equal((StatusCode.OK, 0), (result.Code, result.Responses.Count));
    }

    [Theory]
    [MemberData(nameof(StreamProtocols))]
    public async Task A_client_stream_is_read_to_its_end(WireProtocol protocol)
    {
        var requests = Enumerable.Range(1, 50).Select(IMessage (number) => new CollectRequest { Number = number });
        var result = await _server.CallAsync<CollectResponse>(protocol, "Collect", streams: true, requests);
        Assert.Equal(new CollectResponse { Sum = 1275, Count = 50 }, result.Single());
    }

    [Theory]
    [MemberData(nameof(StreamProtocols))]
    public async Task A_duplex_stream_answers_each_message(WireProtocol protocol)
    {
        var requests = Enumerable.Range(1, 10).Select(IMessage (number) => new ChatRequest { Text = $"line {number}" });
        var result = await _server.CallAsync<ChatResponse>(protocol, "Chat", streams: true, requests);
        Assert.Equal(StatusCode.OK, result.Code);
        Assert.Equal(Enumerable.Range(1, 10).Select(number => $"line {number}"), result.Responses.Select(response => response.Text));
    }

    [Theory]
    [MemberData(nameof(UnaryProtocols))]
    public async Task Metadata_travels_both_ways_as_text_and_bytes(WireProtocol protocol)
    {
        var request = new HeadersRequest
        {
            Headers = { ["x-text"] = "hello", ["x-data-bin"] = "AAEC/w==" },
            Trailers = { ["x-end"] = "bye", ["x-end-bin"] = "/wA=" },
        };
        var result = await _server.CallAsync<HeadersResponse>(protocol, "Headers", streams: false, [request], headers =>
        {
            headers.Add("x-sent", ["one", "two"]);
            headers.Add("x-sent-bin", "AQI,Aw==");
        });

        var metadata = result.Single().Metadata;
        Assert.Equal("one,two", metadata["x-sent"].Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal("AQI=,Aw==", metadata["x-sent-bin"]);
        Assert.DoesNotContain("content-type", metadata.Keys);
        Assert.Equal("hello", Assert.Single(result.Headers["x-text"]));
        Assert.Equal("AAEC/w", Assert.Single(result.Headers["x-data-bin"]));
        Assert.Equal("bye", Assert.Single(result.Trailers["x-end"]));
        Assert.Equal("/wA", Assert.Single(result.Trailers["x-end-bin"]));
    }

    [Theory]
    [MemberData(nameof(StreamProtocols))]
    public async Task An_unexpected_exception_shows_no_text_but_a_request_id(WireProtocol protocol)
    {
        var result = await _server.CallAsync<FailResponse>(
            protocol, "Fail", streams: false, [new FailRequest { Code = -1, Message = "the password is 123" }]);

        Assert.Equal((StatusCode.Internal, "INTERNAL"), (result.Code, result.Details?.GetDetail<ErrorInfo>()?.Reason));
        Assert.DoesNotContain("password", result.Message, StringComparison.Ordinal);
        Assert.NotEmpty(result.Details?.GetDetail<RequestInfo>()?.RequestId ?? "");
        Assert.Single(_server.TakeErrors());
    }

    [Theory]
    [MemberData(nameof(StreamProtocols))]
    public async Task A_deadline_that_passes_is_deadline_exceeded(WireProtocol protocol)
    {
        var result = await _server.CallAsync<WaitResponse>(
            protocol,
            "Wait",
            streams: false,
            [new WaitRequest { Delay = new() { Seconds = 20 } }],
            headers => headers.Add(protocol.IsConnect ? "Connect-Timeout-Ms" : "grpc-timeout", protocol.IsConnect ? "30" : "30m"));
        Assert.Equal(StatusCode.DeadlineExceeded, result.Code);
    }
}
