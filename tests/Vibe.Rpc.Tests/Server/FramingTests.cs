using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Protocols;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>Broken requests get their status, and the connection goes on working.</summary>
public sealed class FramingTests : IAsyncLifetime
{
    private const int Limit = 64 * 1024;
    private static readonly byte[] Good = new EchoRequest { Name = "good" }.ToByteArray();

    private RpcTestServer _server = null!;

    public static TheoryData<string, int> Cases
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var name in Requests.Keys)
            {
                data.Add(name, 1);
                data.Add(name, 2);
            }

            return data;
        }
    }

    private static Dictionary<string, (byte[] Body, string? Encoding, StatusCode Code)> Requests { get; } = new()
    {
        ["nothing"] = ([], null, StatusCode.Unimplemented),
        ["two messages"] = ([.. WireCall.Frame(Good), .. WireCall.Frame(Good)], null, StatusCode.Unimplemented),
        ["a cut header"] = ([0, 0, 0], null, StatusCode.Internal),
        ["a cut payload"] = (WireCall.Frame(Good)[..^1], null, StatusCode.Internal),
        ["a header without payload"] = ([0, 0, 0, 0, 9], null, StatusCode.Internal),
        ["a message and a cut header"] = ([.. WireCall.Frame(Good), 0, 0], null, StatusCode.Internal),
        ["a length of 4 GiB"] = ([0, 255, 255, 255, 255, 1], null, StatusCode.ResourceExhausted),
        ["a length over the limit"] = (WireCall.Frame(new byte[Limit + 1]), null, StatusCode.ResourceExhausted),
        ["megabytes over the limit"] = (WireCall.Frame(new byte[5_000_000]), null, StatusCode.ResourceExhausted),
        ["an unknown flag"] = (WireCall.Frame(Good, flags: 4), null, StatusCode.Internal),
        ["the trailer flag"] = (WireCall.Frame(Good, flags: 0x80), null, StatusCode.Internal),
        ["the compressed flag without an encoding"] = (WireCall.Frame(WireCall.Compress(Good), true), null, StatusCode.Internal),
        ["the compressed flag with identity"] = (WireCall.Frame(WireCall.Compress(Good), true), "identity", StatusCode.Internal),
        ["an unknown encoding"] = (WireCall.Frame(Good), "br", StatusCode.Unimplemented),
        ["bytes that are no gzip"] = (WireCall.Frame(Good, true), "gzip", StatusCode.Internal),
        ["a cut gzip"] = (WireCall.Frame(WireCall.Compress(Good)[..^3], true), "gzip", StatusCode.Internal),
        ["a gzip bomb"] = (WireCall.Frame(WireCall.Compress(new byte[10_000_000]), true), "gzip", StatusCode.ResourceExhausted),
        ["bytes that are no message"] = (WireCall.Frame([0xff, 0xff, 0xff]), null, StatusCode.InvalidArgument),
        ["messages nested too deep"] = (WireCall.Frame(Nested(200)), null, StatusCode.InvalidArgument),
    };

    public async Task InitializeAsync() => _server = await RpcTestServer.StartAsync(options => options.MaxReceiveMessageSize = Limit);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_broken_request_fails_and_the_next_on_its_connection_works(string name, int version)
    {
        using var client = new OneConnection();
        var (body, encoding, code) = Requests[name];
        foreach (var family in version == 1 ? [Family.GrpcWeb, Family.GrpcWebText] : new[] { Family.Grpc, Family.GrpcWeb, Family.GrpcWebText })
        {
            var protocol = new WireProtocol(family, HttpVersion: version);
            var result = await SendAsync(client, protocol, body, encoding);
            Assert.Equal(code, result.Code);
            Assert.NotNull(result.Details?.GetDetail<Google.Rpc.ErrorInfo>());
            var next = await SendAsync(client, protocol, WireCall.Frame(Good), null);
            Assert.Equal("good", next.Single().Name);
        }

        Assert.Equal(1, client.Connections);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Random_bytes_never_break_the_connection(int version)
    {
        using var client = new OneConnection();
        var random = new Random(20 + version);
        for (var round = 0; round < 150; round++)
        {
            var body = new byte[random.Next(0, 40)];
            random.NextBytes(body);
            if (body.Length > 5 && round % 2 == 0)
            {
                body.AsSpan(0, 4).Clear(); // A header that is nearly right gets further.
            }

            var family = (Family)random.Next(version == 1 ? 1 : 0, 3);
            await SendAsync(client, new(family, HttpVersion: version), body, random.Next(2) == 0 ? "gzip" : null);
            var next = await SendAsync(client, new(Family.GrpcWeb, HttpVersion: version), WireCall.Frame(Good), null);
            Assert.Equal("good", next.Single().Name);
        }

        Assert.Equal(1, client.Connections);
    }

    [Theory]
    [InlineData("not base64!!", StatusCode.Internal)]
    [InlineData("AAAAAAA", StatusCode.Internal)]
    [InlineData("AAA=AAAA", StatusCode.OK)]
    public async Task Text_is_checked_and_may_come_in_padded_pieces(string text, StatusCode code)
    {
        using var client = new OneConnection();
        var protocol = new WireProtocol(Family.GrpcWebText, HttpVersion: 1);
        Assert.Equal(code, (await SendAsync(client, protocol, Encoding.ASCII.GetBytes(text), null, raw: true)).Code);
        Assert.Equal("good", (await SendAsync(client, protocol, WireCall.Frame(Good), null)).Single().Name);
        Assert.Equal(1, client.Connections);
    }

    [Theory]
    [InlineData(Family.GrpcWeb, 0)]
    [InlineData(Family.GrpcWebText, 0)]
    [InlineData(Family.Connect, 0)]
    [InlineData(Family.GrpcWeb, 1)]
    [InlineData(Family.GrpcWebText, 1)]
    [InlineData(Family.Connect, 1)]
    public async Task Messages_may_be_split_anywhere(Family family, int chunk)
    {
        byte[] body = [.. WireCall.Frame(new CollectRequest { Number = 300 }.ToByteArray()), .. WireCall.Frame([]), .. WireCall.Frame(new CollectRequest { Number = 5 }.ToByteArray())];
        body = family == Family.GrpcWebText ? Encoding.ASCII.GetBytes(Convert.ToBase64String(body)) : body;
        for (var split = 0; split <= body.Length; split++)
        {
            var http = new DefaultHttpContext { RequestServices = _server.Services };
            http.Request.Body = new SplitStream(body, split, chunk);
            var answer = new MemoryStream();
            http.Response.Body = answer;
            var method = _server.Services.GetRequiredService<RpcMethodRegistry>().Methods.Single(method => method.Name == "Collect");
            RpcCall call = family switch
            {
                Family.GrpcWeb => new GrpcWebCall(http, method, MessageCodec.Proto, "application/grpc-web"),
                Family.GrpcWebText => new GrpcWebTextCall(http, method, MessageCodec.Proto, "application/grpc-web-text"),
                _ => new ConnectStreamCall(http, method, MessageCodec.Proto, "application/connect+proto"),
            };
            await call.RunAsync();
            await http.Response.BodyWriter.FlushAsync();
            var bytes = family == Family.GrpcWebText ? Convert.FromBase64String(Encoding.ASCII.GetString(answer.ToArray())) : answer.ToArray();
            Assert.Equal(new CollectResponse { Sum = 305, Count = 3 }, CollectResponse.Parser.ParseFrom(bytes, 5, bytes[4]));
        }
    }

    [Fact]
    public async Task A_connection_that_dies_in_the_middle_of_a_message_is_no_error()
    {
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(_server.Http1.Host, _server.Http1.Port);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                "POST /vibe.rpctest.v1.RpcTestService/Echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc-web\r\nContent-Length: 100\r\n\r\n\0\0\0\0_abc"));
            await _server.Watch.StartedAsync(1);
        }

        await _server.Watch.NoneAsync();
        Assert.Equal("good", (await SendAsync(new OneConnection(), new(Family.GrpcWeb, HttpVersion: 1), WireCall.Frame(Good), null)).Single().Name);
    }

    private async Task<WireResult<EchoResponse>> SendAsync(
        OneConnection client, WireProtocol protocol, byte[] body, string? encoding, bool raw = false)
    {
        if (protocol.Family == Family.GrpcWebText && !raw)
        {
            body = Encoding.ASCII.GetBytes(Convert.ToBase64String(body));
        }

        using var request = WireCall.Request(_server, protocol, "Echo", streams: false, []);
        var type = request.Content!.Headers.ContentType;
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = type;
        if (encoding is not null)
        {
            request.Headers.Add("grpc-encoding", encoding);
        }

        using var response = await client.Http.SendAsync(request).WaitAsync(TimeSpan.FromSeconds(60));
        return await WireAnswer.ReadAsync<EchoResponse>(protocol, streams: false, response);
    }

    private static byte[] Nested(int depth)
    {
        var message = new AllTypes();
        for (var level = 0; level < depth; level++)
        {
            message = new() { Child = message };
        }

        return new EchoRequest { Message = message }.ToByteArray();
    }
}
