using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>
/// gRPC-Web: as gRPC, but the trailers are the last frame of the body, because browsers hide HTTP trailers.
/// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
/// </summary>
internal class GrpcWebCall(HttpContext httpContext, RpcMethod rpcMethod, MessageCodec codec, string contentType)
    : GrpcCall(httpContext, rpcMethod, codec, contentType)
{
    protected override ValueTask EndAsync(Status status, Metadata? trailers)
    {
        StartHeadersOnce(null);
        var text = new StringBuilder();
        foreach (var entry in trailers ?? [])
        {
            if (ResponseMetadata.IsApplications(entry))
            {
                Append(text, entry.Key, MetadataHeaders.WireValue(entry));
            }
        }

        WriteStatus(status, trailers, (text, static (to, name, value) => Append(to, name, value.ToString())));
        WriteFrame(Envelope.Trailers, Encoding.ASCII.GetBytes(text.ToString()));
        Seal();
        return default;
    }

    private static void Append(StringBuilder text, string name, string value) => text.Append(name).Append(": ").Append(value).Append("\r\n");
}
