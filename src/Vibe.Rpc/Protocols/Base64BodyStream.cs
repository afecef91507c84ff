using System.Buffers;
using System.Buffers.Text;
using Grpc.Core;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>Decodes a body of base64 pieces, each padded on its own.</summary>
internal sealed class Base64BodyStream(RequestBody body) : OneWayStream
{
    private const int Quad = 4;
    private const int BlockBytes = 4096;

    public override bool CanRead => true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var result = await body.ReadAsync(cancellationToken);
            var (consumed, examined) = (result.Buffer.Start, result.Buffer.End);
            try
            {
                if (result.Buffer.Length >= Quad)
                {
                    var written = Decode(result.Buffer, buffer.Span, out var read);
                    consumed = examined = result.Buffer.GetPosition(read);
                    if (written > 0)
                    {
                        return written;
                    }
                }
                else if (result.IsCompleted)
                {
                    return result.Buffer.IsEmpty ? 0 : throw Malformed();
                }
            }
            finally
            {
                body.AdvanceTo(body.Pipe, consumed, examined);
            }
        }
    }

    private static int Decode(in ReadOnlySequence<byte> text, Span<byte> output, out int read)
    {
        // Whole quads only, and no more than fit.
        var take = (int)Math.Min(Math.Min(text.Length, BlockBytes), output.Length / 3 * Quad) / Quad * Quad;
        Span<byte> block = stackalloc byte[BlockBytes];
        block = block[..take];
        text.Slice(0, take).CopyTo(block);
        var status = Base64.DecodeFromUtf8(block, output, out read, out var written, isFinalBlock: false);
        if (status == OperationStatus.InvalidData && read + Quad <= take)
        {
            // The end of a piece: a quad with padding, which the decoder takes only as the last one.
            status = Base64.DecodeFromUtf8(block.Slice(read, Quad), output[written..], out var lastRead, out var lastWritten);
            read += lastRead;
            written += lastWritten;
        }

        return status == OperationStatus.InvalidData ? throw Malformed() : written;
    }

    private static RpcException Malformed() => WireErrors.MalformedFraming("The body is no valid base64.");
}
