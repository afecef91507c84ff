using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>
/// The protocols that put five bytes before each message: gRPC, gRPC-Web and Connect streams. They differ in header names and in
/// how the call ends.
/// </summary>
internal abstract class EnvelopeCall(HttpContext httpContext, RpcMethod rpcMethod, MessageCodec codec) : RpcCall(httpContext, rpcMethod)
{
    /// <summary>Bytes that may gather unflushed in a stream of buffered writes.</summary>
    private const int FlushThreshold = 32 * 1024;

    private static readonly StringValues SupportedEncodings = "identity,gzip";
    private static readonly StringValues GzipEncoding = Gzip.Name;

    private bool _requestEnded;
    private bool _inflates;
    private bool _deflates;
    private long _unflushed;

    /// <summary>The header that names the compression of a direction.</summary>
    protected abstract string EncodingHeader { get; }

    /// <summary>The header that names the compressions the other side may use.</summary>
    protected abstract string AcceptEncodingHeader { get; }

    /// <summary>The request's bytes after any transport encoding.</summary>
    protected virtual PipeReader Input => RequestBody.Pipe;

    /// <summary>Where frames are written.</summary>
    protected virtual IBufferWriter<byte> Output => ResponseBody.Pipe;

    /// <summary>Brings frames that were written to <see cref="Output"/> into the response's pipe.</summary>
    protected virtual void Seal()
    {
    }

    /// <summary>Reads the compression headers.</summary>
    protected void OpenEncodings()
    {
        var headers = HttpContext.Request.Headers;
        if (headers.TryGetValue(EncodingHeader, out var encoding) && encoding.ToString() is { Length: > 0 } name && name != "identity")
        {
            _inflates = name == Gzip.Name ? true : throw WireErrors.UnknownEncoding(name);
        }

        _deflates = RpcMethod.Options.ResponseCompressionAlgorithm == Gzip.Name
            && headers.TryGetValue(AcceptEncodingHeader, out var accepted)
            && Gzip.IsAccepted(accepted.ToString());
    }

    /// <summary>Sets the compression headers of the response.</summary>
    protected void StartEncodings()
    {
        HttpContext.Response.Headers[AcceptEncodingHeader] = SupportedEncodings;
        if (_deflates)
        {
            HttpContext.Response.Headers[EncodingHeader] = GzipEncoding;
        }
    }

    protected sealed override async ValueTask<IMessage?> ReadMessageAsync(CancellationToken cancellationToken)
    {
        while (!_requestEnded)
        {
            var input = Input;
            var result = await RequestBody.ReadAsync(input, cancellationToken);
            var buffer = result.Buffer;
            var (consumed, examined) = (buffer.Start, buffer.End);
            try
            {
                if (TryReadFrame(buffer, out var message, out var end))
                {
                    consumed = examined = end;
                    _requestEnded = result.IsCompleted && buffer.Slice(end).IsEmpty;
                    return message;
                }

                if (result.IsCompleted)
                {
                    _requestEnded = buffer.IsEmpty ? true : throw WireErrors.MalformedFraming("The request ends in the middle of a message.");
                }
            }
            finally
            {
                RequestBody.AdvanceTo(input, consumed, examined);
            }
        }

        return null;
    }

    protected sealed override ValueTask WriteMessageAsync(IMessage message, WriteFlags flags, CancellationToken cancellationToken)
    {
        WriteFrame(message, flags);

        // A unary answer leaves with its status, in one write. A stream's message leaves at once, unless more are announced.
        var flushes = RpcMethod.ServerStreams
            ? !flags.HasFlag(WriteFlags.BufferHint) || _unflushed >= FlushThreshold
            : _unflushed >= LargeAnswer;
        return flushes ? FlushAsync(cancellationToken) : default;
    }

    /// <summary>Sends what was written.</summary>
    protected ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        Seal();
        _unflushed = 0;
        return ResponseBody.FlushAsync(cancellationToken);
    }

    /// <summary>Writes a frame that is no message.</summary>
    protected void WriteFrame(byte flags, ReadOnlySpan<byte> payload)
    {
        Envelope.WriteHeader(Output, flags, payload.Length);
        Output.Write(payload);
    }

    private bool TryReadFrame(in ReadOnlySequence<byte> buffer, out IMessage? message, out SequencePosition end)
    {
        message = null;
        end = buffer.Start;
        if (!Envelope.TryReadHeader(buffer, out var flags, out var length))
        {
            return false;
        }

        if ((flags & ~Envelope.Compressed) != 0)
        {
            throw WireErrors.MalformedFraming("A message has unknown flags.");
        }

        // Before waiting for the bytes: the length is the client's word.
        if (length > MaxRequestBytes)
        {
            throw WireErrors.MessageTooLarge(MaxRequestBytes);
        }

        if (buffer.Length - Envelope.HeaderSize < length)
        {
            return false;
        }

        var payload = buffer.Slice(Envelope.HeaderSize, length);
        end = payload.End;
        message = RpcMethod.NewRequest();
        if ((flags & Envelope.Compressed) == 0)
        {
            Counters.BytesReceived += length;
            codec.Merge(payload, message);
        }
        else
        {
            MergeCompressed(payload, message);
        }

        return true;
    }

    private void MergeCompressed(in ReadOnlySequence<byte> payload, IMessage message)
    {
        if (!_inflates)
        {
            throw WireErrors.MalformedFraming($"A message is compressed, but the request names no {EncodingHeader}.");
        }

        using var inflated = new PooledBuffer();
        MessageCompression.Inflate(payload, MaxRequestBytes, inflated);
        Counters.BytesReceived += inflated.Length;
        codec.Merge(new(inflated.WrittenMemory), message);
    }

    private void WriteFrame(IMessage message, WriteFlags flags)
    {
        var size = codec.SizeOf(message);
        var mayDeflate = _deflates && !flags.HasFlag(WriteFlags.NoCompress);
        if (size >= 0 && !(mayDeflate && size >= RpcMethod.Options.ResponseCompressionMinimumBytes))
        {
            CheckSize(size);
            Envelope.WriteHeader(Output, 0, size);
            codec.Write(message, Output);
            Sent(size, size);
            return;
        }

        using var plain = new PooledBuffer(Math.Max(size, 512));
        codec.Write(message, plain);
        CheckSize(plain.Length);
        if (!mayDeflate || plain.Length < RpcMethod.Options.ResponseCompressionMinimumBytes)
        {
            WriteFrame(0, plain.WrittenSpan);
            Sent(plain.Length, plain.Length);
            return;
        }

        using var deflated = new PooledBuffer(Math.Max(plain.Length / 2, 512));
        MessageCompression.Deflate(plain.WrittenSpan, RpcMethod.Options.ResponseCompressionLevel, deflated);
        WriteFrame(Envelope.Compressed, deflated.WrittenSpan);
        Sent(plain.Length, deflated.Length);
    }

    private void CheckSize(int size)
    {
        if (size > RpcMethod.Options.MaxSendMessageSize)
        {
            throw WireErrors.ResponseTooLarge(RpcMethod.Options.MaxSendMessageSize.Value);
        }
    }

    private void Sent(int size, int wireSize)
    {
        Counters.BytesSent += size;
        _unflushed += wireSize + Envelope.HeaderSize;
    }
}
