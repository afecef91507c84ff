using System.Buffers;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Rpc.Wire;
using RpcStatus = Google.Rpc.Status;

namespace Vibe.Rpc.Tests.Server;

/// <summary>Reads answers of every protocol into one form.</summary>
internal static class WireAnswer
{
    public static async Task<WireResult<TResponse>> ReadAsync<TResponse>(WireProtocol protocol, bool streams, HttpResponseMessage response)
        where TResponse : IMessage<TResponse>, new()
    {
        var body = await response.Content.ReadAsByteArrayAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return protocol.IsConnect && !streams
            ? ReadUnary<TResponse>(protocol, response, body)
            : ReadFrames<TResponse>(protocol, response, body);
    }

    private static WireResult<TResponse> ReadUnary<TResponse>(WireProtocol protocol, HttpResponseMessage response, byte[] body)
        where TResponse : IMessage<TResponse>, new()
    {
        var headers = ToLookup(response, trailers: false);
        var trailers = headers.SelectMany(header => header, (header, value) => (header.Key, value))
            .Where(pair => pair.Key.StartsWith("trailer-", StringComparison.Ordinal))
            .ToLookup(pair => pair.Key["trailer-".Length..], pair => pair.value);
        if (response.Content.Headers.ContentEncoding.Contains("gzip"))
        {
            body = Inflate(body);
        }

        if (response.IsSuccessStatusCode)
        {
            return new(response.StatusCode, StatusCode.OK, "", null, [Decode<TResponse>(protocol, body)], headers, trailers);
        }

        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        var (code, message, details) = ReadError(JsonDocument.Parse(body).RootElement);
        return new(response.StatusCode, code, message, details, [], headers, trailers);
    }

    private static WireResult<TResponse> ReadFrames<TResponse>(WireProtocol protocol, HttpResponseMessage response, byte[] body)
        where TResponse : IMessage<TResponse>, new()
    {
        var headers = ToLookup(response, trailers: false);
        var trailers = ToLookup(response, trailers: true);
        if (protocol.Family == Family.GrpcWebText)
        {
            body = DecodePieces(Encoding.ASCII.GetString(body));
        }

        var messages = new List<TResponse>();
        var error = (Code: StatusCode.OK, Message: "", Details: (RpcStatus?)null);
        for (var rest = body.AsSpan(); !rest.IsEmpty;)
        {
            Assert.True(Envelope.TryReadHeader(new(rest.ToArray()), out var flags, out var length));
            var payload = rest.Slice(5, (int)length).ToArray();
            rest = rest[(5 + (int)length)..];
            payload = (flags & 1) != 0 ? Inflate(payload) : payload;
            switch (flags & ~1)
            {
                case 0:
                    messages.Add(Decode<TResponse>(protocol, payload));
                    break;
                case 2:
                    Assert.True(rest.IsEmpty);
                    (error, trailers) = ReadEndStream(JsonDocument.Parse(payload).RootElement);
                    break;
                case 0x80:
                    Assert.True(rest.IsEmpty);
                    trailers = Encoding.ASCII.GetString(payload).Split("\r\n", StringSplitOptions.RemoveEmptyEntries)
                        .Select(line => line.Split(": ", 2)).ToLookup(pair => pair[0], pair => pair[1]);
                    break;
                default:
                    Assert.Fail($"flags {flags}");
                    break;
            }
        }

        if (!protocol.IsConnect)
        {
            var source = trailers.Contains("grpc-status") ? trailers : headers;
            error = ReadStatus(source);
        }

        return new(response.StatusCode, error.Code, error.Message, error.Details, messages, headers, trailers);
    }

    private static (StatusCode, string, RpcStatus?) ReadStatus(ILookup<string, string> trailers)
    {
        var details = trailers["grpc-status-details-bin"].SingleOrDefault() is { } encoded && BinaryMetadata.TryDecode(encoded, out var bytes)
            ? RpcStatus.Parser.ParseFrom(bytes)
            : null;
        return ((StatusCode)int.Parse(Assert.Single(trailers["grpc-status"]), System.Globalization.CultureInfo.InvariantCulture),
            PercentEncoding.Decode(trailers["grpc-message"].SingleOrDefault() ?? ""), details);
    }

    private static ((StatusCode, string, RpcStatus?), ILookup<string, string>) ReadEndStream(JsonElement end)
    {
        var trailers = end.TryGetProperty("metadata", out var metadata)
            ? metadata.EnumerateObject().SelectMany(p => p.Value.EnumerateArray(), (p, v) => (p.Name, Value: v.GetString()!)).ToLookup(p => p.Name, p => p.Value)
            : Array.Empty<string>().ToLookup(x => x);
        return (end.TryGetProperty("error", out var error) ? ReadError(error) : (StatusCode.OK, "", null), trailers);
    }

    private static (StatusCode, string, RpcStatus?) ReadError(JsonElement error)
    {
        var name = error.GetProperty("code").GetString()!;
        var code = System.Enum.GetValues<StatusCode>().Single(each => each.ToConnectName() == name);
        var message = error.TryGetProperty("message", out var text) ? text.GetString()! : "";
        if (!error.TryGetProperty("details", out var list))
        {
            return (code, message, null);
        }

        var status = new RpcStatus { Code = (int)code, Message = message };
        foreach (var detail in list.EnumerateArray())
        {
            Assert.True(BinaryMetadata.TryDecode(detail.GetProperty("value").GetString(), out var value));
            status.Details.Add(new Any
            {
                TypeUrl = "type.googleapis.com/" + detail.GetProperty("type").GetString(),
                Value = ByteString.CopyFrom(value),
            });
        }

        return (code, message, status);
    }

    private static TResponse Decode<TResponse>(WireProtocol protocol, byte[] payload)
        where TResponse : IMessage<TResponse>, new()
    {
        if (protocol.Json)
        {
            return JsonParser.Default.Parse<TResponse>(Encoding.UTF8.GetString(payload));
        }

        var message = new TResponse();
        message.MergeFrom(payload);
        return message;
    }

    private static byte[] DecodePieces(string text)
    {
        var bytes = new List<byte>();
        for (var at = 0; at < text.Length; at += 4)
        {
            bytes.AddRange(Convert.FromBase64String(text.Substring(at, 4)));
        }

        return [.. bytes];
    }

    private static byte[] Inflate(byte[] payload)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(InflateResult.Done, Gzip.Inflate(new(payload), int.MaxValue, output));
        return output.WrittenSpan.ToArray();
    }

    private static ILookup<string, string> ToLookup(HttpResponseMessage response, bool trailers) =>
        (trailers ? response.TrailingHeaders : response.Headers.Concat(response.Content.Headers))
        .SelectMany(header => header.Value, (header, value) => (Name: header.Key.ToLowerInvariant(), value))
        .ToLookup(pair => pair.Name, pair => pair.value);
}
