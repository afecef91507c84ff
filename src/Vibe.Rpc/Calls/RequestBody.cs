using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Vibe.Rpc.Calls;

/// <summary>Reads the request's bytes, and turns what Kestrel throws into what a call understands.</summary>
internal sealed class RequestBody(HttpContext http, CallStop stop, RequestMemory memory)
{
    private long _held;

    /// <summary>The pipe of the body.</summary>
    public PipeReader Pipe { get; } = http.Request.BodyReader;

    /// <summary>Waits for more bytes, or for the end.</summary>
    public ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken) => ReadAsync(Pipe, cancellationToken);

    /// <summary>Waits for more bytes of a pipe that decodes <see cref="Pipe"/>.</summary>
    public ValueTask<ReadResult> ReadAsync(PipeReader pipe, CancellationToken cancellationToken)
    {
        ValueTask<ReadResult> read;
        try
        {
            read = pipe.ReadAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or ConnectionAbortedException)
        {
            throw Translate(exception);
        }

        return read.IsCompletedSuccessfully ? new(Check(pipe, read.GetAwaiter().GetResult())) : WaitAsync(pipe, read);
    }

    /// <summary>
    /// Gives read bytes back; to be called after every read, also on the way out with an exception: an HTTP/1.1 connection whose
    /// read was not advanced fails its next request.
    /// </summary>
    public void AdvanceTo(PipeReader pipe, SequencePosition consumed, SequencePosition examined)
    {
        try
        {
            pipe.AdvanceTo(consumed, examined);
        }
        catch (Exception exception) when (exception is IOException or ConnectionAbortedException)
        {
            // Kestrel fails it when the client has reset the stream meanwhile. What was read stays good; the next read fails.
            stop.Stop(StopCause.ClientGone);
        }
    }

    /// <summary>The call is over: it holds nothing.</summary>
    public void Release()
    {
        memory.TryChange(_held, 0);
        _held = 0;
    }

    private async ValueTask<ReadResult> WaitAsync(PipeReader pipe, ValueTask<ReadResult> read)
    {
        stop.ReadWaits();
        try
        {
            return Check(pipe, await read);
        }
        catch (Exception exception) when (exception is IOException or ConnectionAbortedException)
        {
            throw Translate(exception);
        }
        finally
        {
            stop.ReadReturned();
        }
    }

    private ReadResult Check(PipeReader pipe, ReadResult result)
    {
        if (!result.IsCanceled)
        {
            // What was read and not used yet stays in the pipe; what was used is counted to the end, since serving it takes more.
            var now = Math.Max(_held, result.Buffer.Length);
            if (!memory.TryChange(_held, now))
            {
                AdvanceTo(pipe, result.Buffer.Start, result.Buffer.Start);
                throw WireErrors.TooManyLargeRequests();
            }

            _held = now;
            return result;
        }

        AdvanceTo(pipe, result.Buffer.Start, result.Buffer.Start);
        throw stop.Exception();
    }

    private Exception Translate(Exception exception)
    {
        if (exception is BadHttpRequestException malformed)
        {
            return WireErrors.MalformedHttp(malformed);
        }

        // Kestrel's word for a chunk whose size does not fit into 32 bits; anything else says that the connection is gone.
        if (exception is IOException { InnerException: OverflowException })
        {
            return WireErrors.MalformedHttp(new BadHttpRequestException("A chunk is too large."));
        }

        stop.Stop(StopCause.ClientGone);
        return stop.Exception();
    }
}
