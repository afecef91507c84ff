using System.Net;
using System.Net.Http.Headers;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>One request message, which can be sent again by a retry.</summary>
internal sealed class MessageContent : HttpContent
{
    public static readonly MediaTypeHeaderValue GrpcMediaType = new("application/grpc");

    private readonly Lock _gate = new();
    private readonly PooledBuffer _frame;
    private readonly int _length;
    private int _users = 1;

    public MessageContent(PooledBuffer frame)
    {
        _frame = frame;
        _length = frame.Length;
        Headers.ContentType = GrpcMediaType;
    }

    /// <summary>
    /// Says that no attempt will start any more. One may still be sending: a server can answer before it has read the request, and a
    /// cancelled attempt goes on for a moment. So the last user gives the buffer back.
    /// </summary>
    public void Release()
    {
        lock (_gate)
        {
            if (--_users > 0)
            {
                return;
            }
        }

        _frame.Dispose();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_users == 0)
            {
                throw new OperationCanceledException("The call has ended.");
            }

            _users++;
        }

        try
        {
            await stream.WriteAsync(_frame.WrittenMemory, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Release();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }
}

/// <summary>A stream of requests: stays open until the writer completes it.</summary>
internal sealed class StreamContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _callEnded;

    /// <summary>Opens a stream of requests.</summary>
    /// <param name="callEnded">Fires when the call ended: the stream is reset then, unless it was completed before.</param>
    public StreamContent(CancellationToken callEnded)
    {
        Headers.ContentType = MessageContent.GrpcMediaType;
        _callEnded = callEnded;
        callEnded.UnsafeRegister(static state => ((StreamContent)state!).Abort(), this);
    }

    /// <summary>Where to write requests, once there is a connection.</summary>
    public Task<Stream> OpenedAsync => _opened.Task;

    /// <summary>Ends the stream well.</summary>
    public void Complete() => _completed.TrySetResult();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        try
        {
            // The server must see the headers now: in a duplex call it may be the one that speaks first.
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            if (!_opened.TrySetResult(stream))
            {
                // The handler tries again after a lost connection; what was written is gone, and so is the call.
                throw new IOException("The connection was lost, and a stream of requests cannot be sent again.");
            }

            await _completed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_callEnded.IsCancellationRequested)
        {
            // The handler gave the stream up because the server reset it or the connection broke. It reports an exception thrown here
            // in place of that reason, so leave it the word. (When the call has ended here, to return would end the stream well, and the
            // server would take what it has for the whole.)
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    private void Abort()
    {
        _opened.TrySetCanceled(_callEnded);
        _completed.TrySetCanceled(_callEnded);
    }
}
