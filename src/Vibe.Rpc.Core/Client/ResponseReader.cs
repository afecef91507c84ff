using System.Buffers;
using Grpc.Core;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>Reads the messages of one HTTP response and the status behind them. One reader at a time.</summary>
internal sealed class ResponseReader : IDisposable
{
    private const int InitialBuffer = 8 * 1024;

    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly int _maxMessageSize;
    private readonly string? _encoding;
    private readonly BufferDeserializationContext _context = new();
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBuffer);
    private int _start;
    private int _end;

    public ResponseReader(HttpResponseMessage response, Stream body, int? maxMessageSize)
    {
        _response = response;
        _body = body;
        _maxMessageSize = maxMessageSize ?? int.MaxValue;
        _encoding = ResponseHeaders.Find(response.Headers, MetadataHeaders.Encoding);
    }

    /// <summary>Reads the next message; false when the body ended.</summary>
    /// <exception cref="RpcException">The peer broke the protocol or a limit.</exception>
    public ValueTask<(bool Found, T? Message)> ReadAsync<T>(Marshaller<T> marshaller, CancellationToken cancellationToken)
        where T : class =>
        TryTakeFrame(out var flags, out var frame)
            ? new((true, Deserialize(marshaller, flags, frame)))
            : ReadSlowlyAsync(marshaller, cancellationToken);

    /// <summary>The status and the trailers, once the body ended.</summary>
    public (Status Status, Metadata Trailers) ReadEnd()
    {
        var trailers = ResponseHeaders.ToMetadata(_response.TrailingHeaders);
        var status = ResponseHeaders.ReadStatus(_response.TrailingHeaders)
            ?? new Status(StatusCode.Unknown, "The response ended without a grpc-status: something on the way dropped the trailers.");
        return (_end > _start && status.StatusCode == StatusCode.OK
            ? new Status(StatusCode.Internal, "The response ended inside a message.")
            : status, trailers);
    }

    /// <summary>Frees the buffer, and resets the HTTP/2 stream unless it was read to its end.</summary>
    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        _start = _end = 0;
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        _response.Dispose();
    }

    private async ValueTask<(bool Found, T? Message)> ReadSlowlyAsync<T>(Marshaller<T> marshaller, CancellationToken cancellationToken)
        where T : class
    {
        while (await FillAsync(cancellationToken).ConfigureAwait(false))
        {
            if (TryTakeFrame(out var flags, out var frame))
            {
                return (true, Deserialize(marshaller, flags, frame));
            }
        }

        return (false, null);
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }

        if (_end == _buffer.Length)
        {
            MakeRoom();
        }

        var read = await _body.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read;
        return read > 0;
    }

    // Grows with what has arrived, not with what the header announces: the announcement costs the peer nothing.
    private void MakeRoom()
    {
        var kept = _end - _start;
        var target = kept < _buffer.Length / 2
            ? _buffer
            : ArrayPool<byte>.Shared.Rent((int)Math.Min(_buffer.Length * 2L, Array.MaxLength));
        Buffer.BlockCopy(_buffer, _start, target, 0, kept);
        if (target != _buffer)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = target;
        }

        _start = 0;
        _end = kept;
    }

    private bool TryTakeFrame(out byte flags, out ReadOnlyMemory<byte> frame)
    {
        frame = default;
        if (!Envelope.TryReadHeader(new ReadOnlySequence<byte>(_buffer, _start, _end - _start), out flags, out var length))
        {
            return false;
        }

        if (length > (uint)_maxMessageSize)
        {
            throw TooLarge();
        }

        var available = _end - _start - Envelope.HeaderSize;
        if (available < length)
        {
            return false;
        }

        frame = _buffer.AsMemory(_start + Envelope.HeaderSize, (int)length);
        _start += Envelope.HeaderSize + (int)length;
        return true;
    }

    private T Deserialize<T>(Marshaller<T> marshaller, byte flags, ReadOnlyMemory<byte> frame)
    {
        switch (flags)
        {
            case 0:
                return Parse(marshaller, frame);
            case Envelope.Compressed when Gzip.Name.Equals(_encoding, StringComparison.OrdinalIgnoreCase):
                using (var inflated = new PooledBuffer(Math.Max(frame.Length, 1)))
                {
                    return Gzip.Inflate(new ReadOnlySequence<byte>(frame), _maxMessageSize, inflated) switch
                    {
                        InflateResult.Done => Parse(marshaller, inflated.WrittenMemory),
                        InflateResult.TooLarge => throw TooLarge(),
                        _ => throw Broken("A response is no valid gzip stream."),
                    };
                }

            case Envelope.Compressed:
                throw Broken(_encoding is null
                    ? "A response is compressed, but the headers name no grpc-encoding."
                    : $"A response is compressed with \"{_encoding}\", which this client did not offer.");
            default:
                throw Broken($"A response has the unknown flags 0x{flags:X2}.");
        }
    }

    private T Parse<T>(Marshaller<T> marshaller, ReadOnlyMemory<byte> payload)
    {
        _context.Payload = payload;
        try
        {
            return marshaller.ContextualDeserializer(_context);
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, "A response could not be parsed.", exception));
        }
        finally
        {
            _context.Payload = default;
        }
    }

    private RpcException TooLarge() =>
        new(new Status(StatusCode.ResourceExhausted, $"A response is larger than {_maxMessageSize} bytes, the most to receive."));

    private static RpcException Broken(string detail) => new(new Status(StatusCode.Internal, detail));

    private sealed class BufferDeserializationContext : DeserializationContext
    {
        public ReadOnlyMemory<byte> Payload { get; set; }

        public override int PayloadLength => Payload.Length;

        public override byte[] PayloadAsNewBuffer() => Payload.ToArray();

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(Payload);
    }
}
