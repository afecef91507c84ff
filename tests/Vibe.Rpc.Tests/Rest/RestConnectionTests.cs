using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Vibe.Rpc.Tests.Rest;

/// <summary>A request that goes wrong must not harm the next one on its connection.</summary>
public sealed class RestConnectionTests
{
    private const int Limit = 10_000;

    public static TheoryData<string, int> Requests => new()
    {
        { "bad JSON", 400 },
        { "half a JSON text", 400 },
        { "invalid UTF-8", 400 },
        { "deep nesting", 400 },
        { "unknown field", 400 },
        { "too large", 413 },
        { "too large in chunks", 413 },
        { "gzip bomb", 413 },
        { "no gzip", 400 },
        { "half a gzip", 400 },
        { "unknown encoding", 415 },
        { "wrong type", 415 },
        { "body for GET", 400 },
        { "unknown path", 404 },
        { "wrong method", 405 },
        { "broken escape", 400 },
        { "wrong parameter", 400 },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public Task A_good_request_succeeds_after_a_bad_one_over_HTTP1(string name, int status) => RunAsync(name, status, HttpProtocols.Http1);

    [Theory]
    [MemberData(nameof(Requests))]
    public Task A_good_request_succeeds_after_a_bad_one_over_HTTP2(string name, int status) => RunAsync(name, status, HttpProtocols.Http2);

    private static async Task RunAsync(string name, int status, HttpProtocols protocols)
    {
        await using var host = await RestHost.StartAsync(options => options.MaxReceiveMessageSize = Limit, protocols: protocols);
        var connections = 0;
        using var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = 1,
            ConnectCallback = async (context, cancellationToken) =>
            {
                connections++;
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler)
        {
            BaseAddress = host.Address,
            DefaultRequestVersion = protocols == HttpProtocols.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(60),
        };

        for (var round = 0; round < 2; round++)
        {
            using var bad = Bad(name);
            bad.Version = client.DefaultRequestVersion;
            bad.VersionPolicy = client.DefaultVersionPolicy;
            using var refused = await client.SendAsync(bad);
            Assert.Equal(status, (int)refused.StatusCode);
            Assert.Contains("\"error\"", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

            using var content = new StringContent("""{"name":"still here"}""", Encoding.UTF8, "application/json");
            using var good = await client.PostAsync("/test/v1/echo", content);
            Assert.Equal(HttpStatusCode.OK, good.StatusCode);
            Assert.Contains("still here", await good.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(1, connections);
    }

    private static HttpRequestMessage Bad(string name) => name switch
    {
        "bad JSON" => Post("{\"name\":}"u8),
        "half a JSON text" => Post("{\"name\":\"x"u8),
        "invalid UTF-8" => Post([.. "{\"name\":\""u8, 0xC0, 0xAF, .. "\"}"u8]),
        "deep nesting" => Post(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"message\":", 500)))),
        "unknown field" => Post("{\"nothing\":1}"u8),
        "too large" => Post(new byte[Limit + 1]),
        "too large in chunks" => Chunked(Post(new byte[5 * Limit])),
        "gzip bomb" => Encoded(Post(Gzip(new byte[1_000_000])), "gzip"),
        "no gzip" => Encoded(Post("{}"u8), "gzip"),
        "half a gzip" => Encoded(Post(Gzip("{\"name\":\"some text to cut\"}"u8).AsSpan(0, 20)), "gzip"),
        "unknown encoding" => Encoded(Post("{}"u8), "br"),
        "wrong type" => Typed(Post("<x/>"u8), "text/xml"),
        "body for GET" => Method(Post("{}"u8), "GET", "/test/v1/echo/x"),
        "unknown path" => Method(Post("{}"u8), "POST", "/test/v1/nothing"),
        "wrong method" => Method(Post("{}"u8), "DELETE", "/test/v1/echo"),
        "broken escape" => Method(new(), "GET", "/test/v1/echo/%FF"),
        _ => Method(new(), "GET", "/test/v1/expand?count=x"),
    };

    private static HttpRequestMessage Post(ReadOnlySpan<byte> body)
    {
        var content = new ByteArrayContent(body.ToArray());
        content.Headers.ContentType = new("application/json");
        return Method(new() { Content = content }, "POST", "/test/v1/echo");
    }

    private static HttpRequestMessage Method(HttpRequestMessage request, string method, string path)
    {
        request.Method = new(method);
        request.RequestUri = new(path, UriKind.Relative);
        return request;
    }

    private static HttpRequestMessage Chunked(HttpRequestMessage request)
    {
        request.Headers.TransferEncodingChunked = true;
        return request;
    }

    private static HttpRequestMessage Encoded(HttpRequestMessage request, string encoding)
    {
        request.Content!.Headers.ContentEncoding.Add(encoding);
        return request;
    }

    private static HttpRequestMessage Typed(HttpRequestMessage request, string type)
    {
        request.Content!.Headers.ContentType = new(type);
        return request;
    }

    private static byte[] Gzip(ReadOnlySpan<byte> bytes)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return buffer.ToArray();
    }
}
