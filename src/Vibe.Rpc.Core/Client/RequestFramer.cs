using System.Buffers;
using Grpc.Core;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>Serializes requests behind their envelope headers, compressed if need be. One message at a time.</summary>
internal sealed class RequestFramer(int? maxMessageSize, bool compress) : SerializationContext
{
    private PooledBuffer _output = null!;
    private int _start;
    private bool _completed;

    /// <summary>Appends a message to the buffer.</summary>
    /// <exception cref="RpcException">The message is larger than allowed (RESOURCE_EXHAUSTED); the buffer is as it was.</exception>
    public void Append<T>(PooledBuffer output, Marshaller<T> marshaller, T message, WriteFlags flags)
    {
        _output = output;
        _start = output.Length;
        _completed = false;
        output.GetSpan(Envelope.HeaderSize);
        output.Advance(Envelope.HeaderSize);
        try
        {
            marshaller.ContextualSerializer(message, this);
            if (!_completed)
            {
                throw new InvalidOperationException("The serializer did not complete its message.");
            }

            ThrowIfTooLarge(PayloadLength);
            var compressed = compress && !flags.HasFlag(WriteFlags.NoCompress) && PayloadLength > 0;
            if (compressed)
            {
                Compress();
            }

            Envelope.WriteHeader(output.WrittenSpan[_start..], compressed ? Envelope.Compressed : (byte)0, PayloadLength);
        }
        catch
        {
            output.Truncate(_start);
            throw;
        }
    }

    /// <inheritdoc/>
    public override void SetPayloadLength(int payloadLength)
    {
        // Known before anything is written: no memory is spent on a message that cannot be sent.
        ThrowIfTooLarge(payloadLength);
        _output.GetSpan(payloadLength);
    }

    /// <inheritdoc/>
    public override IBufferWriter<byte> GetBufferWriter() => _output;

    /// <inheritdoc/>
    public override void Complete() => _completed = true;

    /// <inheritdoc/>
    public override void Complete(byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        ThrowIfTooLarge(payload.Length);
        _output.Write(payload);
        _completed = true;
    }

    private int PayloadLength => _output.Length - _start - Envelope.HeaderSize;

    private void Compress()
    {
        using var deflated = new PooledBuffer(PayloadLength);
        Gzip.Deflate(_output.WrittenSpan[(_start + Envelope.HeaderSize)..], deflated);
        _output.Truncate(_start + Envelope.HeaderSize);
        _output.Write(deflated.WrittenMemory.Span);
    }

    private void ThrowIfTooLarge(int length)
    {
        if (length > maxMessageSize)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted, $"The request is {length} bytes; at most {maxMessageSize} may be sent."));
        }
    }
}
