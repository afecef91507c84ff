using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;

namespace Vibe.Rpc.Tests.Server;

/// <summary>A request body that stays open until it is ended.</summary>
internal sealed class OpenContent : HttpContent
{
    private readonly Channel<byte[]> _pieces = Channel.CreateUnbounded<byte[]>();

    public OpenContent(MediaTypeHeaderValue contentType, params byte[][] pieces)
    {
        Headers.ContentType = contentType;
        foreach (var piece in pieces)
        {
            _pieces.Writer.TryWrite(piece);
        }
    }

    public ValueTask SendAsync(byte[] piece) => _pieces.Writer.WriteAsync(piece);

    public void End() => _pieces.Writer.TryComplete();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        // The client holds the headers back until the body is flushed.
        await stream.FlushAsync();
        await foreach (var piece in _pieces.Reader.ReadAllAsync())
        {
            await stream.WriteAsync(piece);
            await stream.FlushAsync();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
