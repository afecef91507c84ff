using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Vibe.Rpc.Wire;
using RpcStatus = Google.Rpc.Status;

namespace Vibe.Rpc.Tests.Server;

/// <summary>What came back from a call.</summary>
internal sealed record WireResult<TResponse>(
    HttpStatusCode Http,
    StatusCode Code,
    string Message,
    RpcStatus? Details,
    List<TResponse> Responses,
    ILookup<string, string> Headers,
    ILookup<string, string> Trailers)
{
    public TResponse Single()
    {
        Assert.Equal((StatusCode.OK, ""), (Code, Message));
        return Assert.Single(Responses);
    }
}

/// <summary>Makes calls with nothing but an HttpClient, so that the server's own encoder is not its judge.</summary>
internal static class WireCall
{
    public static async Task<WireResult<TResponse>> CallAsync<TResponse>(
        this RpcTestServer server,
        WireProtocol protocol,
        string method,
        bool streams,
        IEnumerable<IMessage> requests,
        Action<HttpRequestHeaders>? headers = null,
        CancellationToken cancellationToken = default)
        where TResponse : IMessage<TResponse>, new()
    {
        using var request = Request(server, protocol, method, streams, requests);
        headers?.Invoke(request.Headers);
        using var response = await server.Client.SendAsync(request, cancellationToken).WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        return await WireAnswer.ReadAsync<TResponse>(protocol, streams, response);
    }

    public static HttpRequestMessage Request(
        RpcTestServer server, WireProtocol protocol, string method, bool streams, IEnumerable<IMessage> requests)
    {
        var path = $"/vibe.rpctest.v1.RpcTestService/{method}";
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(protocol.HttpVersion == 1 ? server.Http1 : server.Http2, path))
        {
            Version = new(protocol.HttpVersion, protocol.HttpVersion == 1 ? 1 : 0),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (protocol.Family == Family.ConnectGet)
        {
            request.Method = HttpMethod.Get;
            request.RequestUri = new(request.RequestUri!, path + Query(protocol, requests.Single()));
            return request;
        }

        var payloads = requests.Select(message => Encode(protocol, message)).ToList();
        var body = protocol.Family == Family.Connect && !streams ? payloads.Single() : payloads.SelectMany(payload => Frame(payload, protocol.Gzip)).ToArray();
        if (protocol.Family == Family.GrpcWebText)
        {
            body = Encoding.ASCII.GetBytes(Convert.ToBase64String(body));
        }

        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new(protocol.ContentType(streams));
        AddEncoding(request, protocol, streams);
        return request;
    }

    public static byte[] Frame(byte[] payload, bool compressed = false, byte? flags = null)
    {
        var frame = new byte[payload.Length + 5];
        Envelope.WriteHeader(frame, flags ?? (compressed ? (byte)1 : (byte)0), payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    public static byte[] Compress(byte[] payload)
    {
        var output = new ArrayBufferWriter<byte>();
        Gzip.Deflate(payload, output);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Encode(WireProtocol protocol, IMessage message)
    {
        var payload = protocol.Json ? Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(message)) : message.ToByteArray();
        return protocol.Gzip ? Compress(payload) : payload;
    }

    private static string Query(WireProtocol protocol, IMessage message)
    {
        var payload = Encode(protocol, message);
        var text = protocol.Json && !protocol.Gzip
            ? $"&message={Uri.EscapeDataString(Encoding.UTF8.GetString(payload))}"
            : $"&base64=1&message={Convert.ToBase64String(payload).TrimEnd('=').Replace('+', '-').Replace('/', '_')}";
        return $"?connect=v1&encoding={(protocol.Json ? "json" : "proto")}{(protocol.Gzip ? "&compression=gzip" : "")}{text}";
    }

    private static void AddEncoding(HttpRequestMessage request, WireProtocol protocol, bool streams)
    {
        if (protocol.Family == Family.Grpc)
        {
            request.Headers.TE.Add(new("trailers"));
        }

        if (protocol.IsConnect)
        {
            request.Headers.Add("Connect-Protocol-Version", "1");
        }

        if (!protocol.Gzip)
        {
            return;
        }

        if (protocol.Family == Family.Connect && !streams)
        {
            request.Content!.Headers.ContentEncoding.Add("gzip");
            request.Headers.AcceptEncoding.Add(new("gzip"));
            return;
        }

        var prefix = protocol.Family == Family.Connect ? "connect-content-encoding" : "grpc-encoding";
        request.Headers.Add(prefix, "gzip");
        request.Headers.Add(protocol.Family == Family.Connect ? "connect-accept-encoding" : "grpc-accept-encoding", "identity,gzip");
    }
}
