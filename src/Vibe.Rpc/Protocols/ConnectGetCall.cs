using System.Buffers;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>
/// A unary Connect call by GET, for methods without side effects: the message is in the query string.
/// https://connectrpc.com/docs/protocol#unary-get-request
/// </summary>
internal sealed class ConnectGetCall(HttpContext httpContext, RpcMethod rpcMethod, MessageCodec codec, string contentType)
    : ConnectUnaryCall(httpContext, rpcMethod, codec, contentType)
{
    protected override TimeSpan? Open()
    {
        var query = HttpContext.Request.Query;
        if (query.TryGetValue("connect", out var version) && version != "v1")
        {
            throw WireErrors.MalformedMessage("The query parameter connect must be v1.");
        }

        OpenEncodings(query["compression"].ToString());
        return ConnectHeaders.Open(HttpContext.Request.Headers);
    }

    protected override ValueTask<IMessage> ReadBodyAsync(CancellationToken cancellationToken)
    {
        var query = HttpContext.Request.Query;
        if (!query.TryGetValue("message", out var text))
        {
            throw WireErrors.MalformedMessage("The query parameter message is missing.");
        }

        var payload = query["base64"] == "1" ? Decode(text.ToString()) : Encoding.UTF8.GetBytes(text.ToString());
        return payload.Length > MaxRequestBytes
            ? throw WireErrors.MessageTooLarge(MaxRequestBytes)
            : new(Parse(new ReadOnlySequence<byte>(payload)));
    }

    // URL-safe by the specification; the standard alphabet does no harm.
    private static byte[] Decode(string text) => BinaryMetadata.TryDecode(text.Replace('-', '+').Replace('_', '/'), out var value)
        ? value
        : throw WireErrors.MalformedMessage("The query parameter message is no valid base64.");
}
