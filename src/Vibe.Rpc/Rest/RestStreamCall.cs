using System.Buffers;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Rest;

/// <summary>
/// One JSON request, a stream of JSON texts. The HTTP status is out with the first of them, so an error that comes later is the last
/// text of the stream.
/// </summary>
internal sealed class RestStreamCall(HttpContext http, RestRoute route, RestVariables variables, RestStreamFormat format)
    : RestCall(http, route, variables), IAsyncDisposable
{
    // Messages, heartbeats and the end share one writer.
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly PooledBuffer _buffer = new();
    private ITimer? _heartbeat;
    private bool _hasWritten;
    private bool _ended;

    public async ValueTask DisposeAsync()
    {
        if (_heartbeat is not null)
        {
            await _heartbeat.DisposeAsync();
        }

        // A heartbeat may be on its way still: the buffers and the response are its own until it is out.
        await _writing.WaitAsync();
        _ended = true;
        _buffer.Dispose();
        _writing.Dispose();
    }

    protected override void StartHeaders(Metadata? headers)
    {
        ResponseMetadata.AddTo(headers, Response.Headers);
        Response.ContentType = format.ContentType;
        Response.Headers.CacheControl = "no-store";

        // nginx and its kind hold a response back until a buffer is full, unless told.
        Response.Headers["X-Accel-Buffering"] = "no";
        if (!format.Heartbeat.IsEmpty && Server.Options.HeartbeatInterval != Timeout.InfiniteTimeSpan)
        {
            _heartbeat = RpcMethod.Server.Time.CreateTimer(
                static self => _ = ((RestStreamCall)self!).BeatAsync(), this, Server.Options.HeartbeatInterval, Server.Options.HeartbeatInterval);
        }
    }

    protected override async ValueTask WriteMessageAsync(IMessage message, WriteFlags flags, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            // Not straight into the response: a message that turns out not to fit JSON would leave half a line behind.
            _buffer.Clear();
            Serialize(message, _buffer);
            var writer = ResponseBody.Pipe;
            _hasWritten = true;
            WriteId(message, writer);
            writer.Write(format.MessagePrefix);
            writer.Write(_buffer.WrittenMemory.Span);
            writer.Write(format.Suffix);
            _heartbeat?.Change(Server.Options.HeartbeatInterval, Server.Options.HeartbeatInterval);
            if (!flags.HasFlag(WriteFlags.BufferHint))
            {
                await ResponseBody.FlushAsync(cancellationToken);
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    protected override async ValueTask EndAsync(Status status, Metadata? trailers)
    {
        if (status.StatusCode != StatusCode.OK && !Response.HasStarted && !_hasWritten)
        {
            await WriteErrorAsync(status, trailers);
            return;
        }

        StartHeadersOnce(null);
        await _writing.WaitAsync();
        try
        {
            _ended = true;
            if (status.StatusCode != StatusCode.OK)
            {
                _buffer.Clear();
                Server.Errors.Write(status.StatusCode.ToHttpStatus(), status, trailers, _buffer);
                ResponseBody.Pipe.Write(format.ErrorPrefix);
                ResponseBody.Pipe.Write(_buffer.WrittenMemory.Span);
                ResponseBody.Pipe.Write(format.Suffix);
            }

            AddTrailers(trailers);
            await ResponseBody.FlushAsync(CancellationToken.None);
        }
        finally
        {
            _writing.Release();
        }
    }

    private void WriteId(IMessage message, IBufferWriter<byte> writer)
    {
        if (format == RestStreamFormat.ServerSentEvents && Server.Options.EventId?.Invoke(message) is { } id
            && id.AsSpan().IndexOfAny("\r\n\0") < 0)
        {
            writer.Write("id: "u8);
            Encoding.UTF8.GetBytes(id, writer);
            writer.Write("\n"u8);
        }
    }

    private void AddTrailers(Metadata? trailers)
    {
        if (!Response.HasStarted)
        {
            ResponseMetadata.AddTo(trailers, Response.Headers);
        }
        else if (trailers is not null && Response.SupportsTrailers())
        {
            foreach (var entry in trailers.Where(ResponseMetadata.IsApplications))
            {
                Response.AppendTrailer(entry.Key, MetadataHeaders.WireValue(entry));
            }
        }
    }

    private async Task BeatAsync()
    {
        // A message on its way says the same.
        if (!await _writing.WaitAsync(TimeSpan.Zero))
        {
            return;
        }

        try
        {
            if (!_ended)
            {
                ResponseBody.Pipe.Write(format.Heartbeat);
                await ResponseBody.FlushAsync(CancellationToken.None);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client has gone or the call was stopped: the handler hears of it by its token.
        }
        finally
        {
            _writing.Release();
        }
    }
}
