using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Telemetry;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>
/// Connect's unary calls: plain HTTP bodies, real HTTP statuses, trailers as headers with a prefix. The message is held back until
/// the status is known. https://connectrpc.com/docs/protocol#unary-request
/// </summary>
internal class ConnectUnaryCall(HttpContext httpContext, RpcMethod rpcMethod, MessageCodec codec, string contentType)
    : RpcCall(httpContext, rpcMethod), IDisposable
{
    private const string TrailerPrefix = "trailer-";

    private PooledBuffer? _message;
    private bool _read;
    private bool _inflates;
    private bool _deflates;
    private bool _deflated;

    protected internal sealed override string ProtocolName => RpcTelemetry.Connect;

    protected override TimeSpan? Open()
    {
        OpenEncodings(HttpContext.Request.Headers.ContentEncoding.ToString());
        return ConnectHeaders.Open(HttpContext.Request.Headers);
    }

    /// <summary>Checks the request's compression, and what the client accepts.</summary>
    protected void OpenEncodings(string encoding)
    {
        if (encoding.Length > 0 && encoding != "identity")
        {
            _inflates = encoding == Gzip.Name ? true : throw WireErrors.UnknownEncoding(encoding);
        }

        _deflates = RpcMethod.Options.ResponseCompressionAlgorithm == Gzip.Name
            && Gzip.IsAccepted(HttpContext.Request.Headers.AcceptEncoding.ToString());
    }

    protected sealed override async ValueTask<IMessage?> ReadMessageAsync(CancellationToken cancellationToken)
    {
        if (_read)
        {
            return null;
        }

        var message = await ReadBodyAsync(cancellationToken);
        _read = true;
        return message;
    }

    /// <summary>Reads the message from wherever the request has it.</summary>
    protected virtual async ValueTask<IMessage> ReadBodyAsync(CancellationToken cancellationToken)
    {
        if (HttpContext.Request.ContentLength > MaxRequestBytes)
        {
            throw WireErrors.MessageTooLarge(MaxRequestBytes);
        }

        while (true)
        {
            var result = await RequestBody.ReadAsync(cancellationToken);
            var consumed = result.Buffer.Start;
            try
            {
                if (result.Buffer.Length > MaxRequestBytes)
                {
                    throw WireErrors.MessageTooLarge(MaxRequestBytes);
                }

                if (result.IsCompleted)
                {
                    consumed = result.Buffer.End;
                    return Parse(result.Buffer);
                }
            }
            finally
            {
                RequestBody.AdvanceTo(RequestBody.Pipe, consumed, result.Buffer.End);
            }
        }
    }

    /// <summary>Makes the message of its bytes.</summary>
    protected IMessage Parse(in ReadOnlySequence<byte> payload)
    {
        var message = RpcMethod.NewRequest();
        if (!_inflates)
        {
            Counters.BytesReceived += payload.Length;
            codec.Merge(payload, message);
            return message;
        }

        using var inflated = new PooledBuffer();
        MessageCompression.Inflate(payload, MaxRequestBytes, inflated);
        Counters.BytesReceived += inflated.Length;
        codec.Merge(new(inflated.WrittenMemory), message);
        return message;
    }

    protected sealed override ValueTask WriteMessageAsync(IMessage message, WriteFlags flags, CancellationToken cancellationToken)
    {
        var plain = new PooledBuffer(Math.Max(codec.SizeOf(message), 512));
        codec.Write(message, plain);
        Counters.BytesSent += plain.Length;
        if (plain.Length > RpcMethod.Options.MaxSendMessageSize)
        {
            plain.Dispose();
            throw WireErrors.ResponseTooLarge(RpcMethod.Options.MaxSendMessageSize.Value);
        }

        _message = plain;
        if (_deflates && !flags.HasFlag(WriteFlags.NoCompress) && plain.Length >= RpcMethod.Options.ResponseCompressionMinimumBytes)
        {
            _message = new PooledBuffer(Math.Max(plain.Length / 2, 512));
            MessageCompression.Deflate(plain.WrittenSpan, RpcMethod.Options.ResponseCompressionLevel, _message);
            _deflated = true;
            plain.Dispose();
        }

        return default;
    }

    protected sealed override void StartHeaders(Metadata? headers) => ResponseMetadata.AddTo(headers, HttpContext.Response.Headers);

    /// <summary>Nothing yet: the HTTP status is known only at the end.</summary>
    protected sealed override Task SendHeadersAsync() => Task.CompletedTask;

    protected sealed override ValueTask EndAsync(Status status, Metadata? trailers)
    {
        var response = HttpContext.Response;
        response.Headers["Accept-Encoding"] = "gzip";
        ResponseMetadata.AddTo(trailers, response.Headers, TrailerPrefix);
        if (status.StatusCode != StatusCode.OK)
        {
            _message?.Dispose();
            _message = FormatError(status, trailers);
            response.StatusCode = status.StatusCode.ToHttpStatus();
            response.ContentType = "application/json";
        }
        else
        {
            response.ContentType = contentType;
            if (_deflated)
            {
                response.Headers.ContentEncoding = Gzip.Name;
            }

            if (RpcMethod.Options.ResponseCompressionAlgorithm is not null)
            {
                response.Headers.Vary = "Accept-Encoding";
            }
        }

        var body = _message?.WrittenMemory ?? default;
        response.ContentLength = body.Length;
        ResponseBody.Pipe.Write(body.Span);
        return body.Length >= LargeAnswer ? ResponseBody.FlushAsync(CancellationToken.None) : default;
    }

    public void Dispose() => _message?.Dispose();

    private PooledBuffer FormatError(Status status, Metadata? trailers)
    {
        var json = new PooledBuffer();
        using var writer = new Utf8JsonWriter(json);
        ConnectError.Write(writer, status, trailers, RpcMethod.Server.Json);
        return json;
    }
}
