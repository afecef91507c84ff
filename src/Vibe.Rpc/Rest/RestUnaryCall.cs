using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Rest;

/// <summary>One JSON request, one JSON response. The response is held back until the status is known: it goes first.</summary>
internal sealed class RestUnaryCall(HttpContext http, RestRoute route, RestVariables variables) : RestCall(http, route, variables), IDisposable
{
    private PooledBuffer? _body;
    private bool _mayCompress;

    public void Dispose() => _body?.Dispose();

    protected override void StartHeaders(Metadata? headers) => ResponseMetadata.AddTo(headers, Response.Headers);

    protected override Task SendHeadersAsync() => Task.CompletedTask;

    protected override ValueTask WriteMessageAsync(IMessage message, WriteFlags flags, CancellationToken cancellationToken)
    {
        _body = new();
        _mayCompress = !flags.HasFlag(WriteFlags.NoCompress);
        Serialize(message, _body);
        return default;
    }

    protected override async ValueTask EndAsync(Status status, Metadata? trailers)
    {
        if (status.StatusCode != StatusCode.OK || _body is null)
        {
            await WriteErrorAsync(status, trailers);
            return;
        }

        Response.ContentType = "application/json";
        ResponseMetadata.AddTo(trailers, Response.Headers);
        if (!CompressResponse(_body.Length))
        {
            await WriteBodyAsync(_body.WrittenMemory);
            return;
        }

        using var compressed = new PooledBuffer();
        Gzip.Deflate(_body.WrittenMemory.Span, compressed);
        Response.Headers.ContentEncoding = Gzip.Name;
        await WriteBodyAsync(compressed.WrittenMemory);
    }

    private bool CompressResponse(int length)
    {
        var options = RpcMethod.Options;
        if (options.ResponseCompressionAlgorithm != Gzip.Name)
        {
            return false;
        }

        // Caches must not give a compressed answer to a client that cannot read it, whichever came first.
        Response.Headers.Append("Vary", "Accept-Encoding");
        return _mayCompress && length >= options.ResponseCompressionMinimumBytes
            && Gzip.IsAccepted(HttpContext.Request.Headers.AcceptEncoding.ToString());
    }
}
