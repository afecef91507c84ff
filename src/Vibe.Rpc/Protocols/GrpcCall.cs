using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>gRPC over HTTP/2: the status travels in HTTP trailers. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md</summary>
internal class GrpcCall(HttpContext httpContext, RpcMethod rpcMethod, MessageCodec codec, string contentType)
    : EnvelopeCall(httpContext, rpcMethod, codec)
{
    private static readonly StringValues[] Codes = [.. Enumerable.Range(0, 17).Select(code => new StringValues($"{code}"))];

    protected internal override string ProtocolName => "grpc";

    protected override string EncodingHeader => MetadataHeaders.Encoding;

    protected override string AcceptEncodingHeader => MetadataHeaders.AcceptEncoding;

    protected override TimeSpan? Open()
    {
        OpenEncodings();
        if (!HttpContext.Request.Headers.TryGetValue(MetadataHeaders.Timeout, out var text))
        {
            return null;
        }

        return RpcTimeout.TryParseGrpc(text.ToString(), out var timeout) ? timeout : throw WireErrors.MalformedHeader(MetadataHeaders.Timeout);
    }

    protected override void StartHeaders(Metadata? headers)
    {
        HttpContext.Response.ContentType = contentType;
        StartEncodings();
        ResponseMetadata.AddTo(headers, HttpContext.Response.Headers);
    }

    protected override ValueTask EndAsync(Status status, Metadata? trailers)
    {
        // Without a message the status goes into the one HEADERS frame ("Trailers-Only"); Kestrel ends the stream with it.
        var trailersOnly = !HeadersStarted;
        StartHeadersOnce(null);
        var target = trailersOnly ? HttpContext.Response.Headers : HttpContext.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers;
        ResponseMetadata.AddTo(trailers, target);
        WriteStatus(status, trailers, (target, static (to, name, value) => to[name] = value));
        return default;
    }

    /// <summary>Writes the status as names and values.</summary>
    protected static void WriteStatus<TTarget>(
        Status status, Metadata? trailers, (TTarget Target, Action<TTarget, string, StringValues> Write) to)
    {
        var code = (int)status.StatusCode;
        to.Write(to.Target, MetadataHeaders.Status, code < Codes.Length ? Codes[code] : Codes[(int)StatusCode.Unknown]);
        if (status.Detail.Length > 0)
        {
            to.Write(to.Target, MetadataHeaders.Message, PercentEncoding.Encode(status.Detail));
        }

        if (trailers?.Get(MetadataHeaders.StatusDetails) is { } details)
        {
            to.Write(to.Target, MetadataHeaders.StatusDetails, MetadataHeaders.WireValue(details));
        }
    }
}
