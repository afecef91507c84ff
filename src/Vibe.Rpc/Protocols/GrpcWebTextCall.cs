using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>gRPC-Web in base64, for clients that can only stream text. Each flush is a padded piece of its own.</summary>
internal sealed class GrpcWebTextCall : GrpcWebCall, IDisposable
{
    /// <summary>A multiple of three: only the last block of a piece is padded.</summary>
    private const int BlockBytes = 3 * 1024;

    private readonly PooledBuffer _frames = new();

    public GrpcWebTextCall(HttpContext httpContext, RpcMethod rpcMethod, MessageCodec codec, string contentType)
        : base(httpContext, rpcMethod, codec, contentType) =>
        Input = PipeReader.Create(new Base64BodyStream(RequestBody));

    protected override PipeReader Input { get; }

    protected override IBufferWriter<byte> Output => _frames;

    protected override void Seal()
    {
        ReadOnlySpan<byte> frames = _frames.WrittenSpan;
        while (!frames.IsEmpty)
        {
            var block = frames[..Math.Min(frames.Length, BlockBytes)];
            var text = ResponseBody.Pipe.GetSpan(Base64.GetMaxEncodedToUtf8Length(block.Length));
            Base64.EncodeToUtf8(block, text, out _, out var written);
            ResponseBody.Pipe.Advance(written);
            frames = frames[block.Length..];
        }

        _frames.Clear();
    }

    public void Dispose()
    {
        _frames.Dispose();
        Input.Complete();
    }
}
