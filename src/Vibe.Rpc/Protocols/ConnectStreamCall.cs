using System.Text.Json;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Telemetry;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>Connect's streaming calls: always HTTP 200; the last frame is JSON with error and trailers.
/// https://connectrpc.com/docs/protocol#streaming-rpcs</summary>
internal sealed class ConnectStreamCall(HttpContext httpContext, RpcMethod rpcMethod, MessageCodec codec, string contentType)
    : EnvelopeCall(httpContext, rpcMethod, codec)
{
    protected internal override string ProtocolName => RpcTelemetry.Connect;

    protected override string EncodingHeader => "Connect-Content-Encoding";

    protected override string AcceptEncodingHeader => "Connect-Accept-Encoding";

    protected override TimeSpan? Open()
    {
        OpenEncodings();
        return ConnectHeaders.Open(HttpContext.Request.Headers);
    }

    protected override void StartHeaders(Metadata? headers)
    {
        HttpContext.Response.ContentType = contentType;
        StartEncodings();
        ResponseMetadata.AddTo(headers, HttpContext.Response.Headers);
    }

    protected override ValueTask EndAsync(Status status, Metadata? trailers)
    {
        StartHeadersOnce(null);
        using var json = new PooledBuffer();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            if (status.StatusCode != StatusCode.OK)
            {
                writer.WritePropertyName("error"u8);
                ConnectError.Write(writer, status, trailers, RpcMethod.Server.Json);
            }

            ConnectError.WriteMetadata(writer, trailers);
            writer.WriteEndObject();
        }

        WriteFrame(Envelope.EndStream, json.WrittenSpan);
        return default;
    }
}
