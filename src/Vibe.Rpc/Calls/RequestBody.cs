using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace Vibe.Rpc.Calls;

/// <summary>Reads the request's bytes, and turns what Kestrel throws into what a call understands.</summary>
internal sealed class RequestBody(HttpContext http, CallStop stop)
{
    /// <summary>The pipe of the body; who reads from it advances it, also on the way out with an exception.</summary>
    /// <remarks>An HTTP/1.1 connection whose read was not advanced fails its next request.</remarks>
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
        catch (IOException exception)
        {
            throw Translate(exception);
        }

        return read.IsCompletedSuccessfully ? new(Check(pipe, read.GetAwaiter().GetResult())) : WaitAsync(pipe, read);
    }

    private async ValueTask<ReadResult> WaitAsync(PipeReader pipe, ValueTask<ReadResult> read)
    {
        stop.ReadWaits();
        try
        {
            return Check(pipe, await read);
        }
        catch (IOException exception)
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
            return result;
        }

        pipe.AdvanceTo(result.Buffer.Start);
        throw stop.Exception();
    }

    private Exception Translate(IOException exception)
    {
        if (exception is BadHttpRequestException malformed)
        {
            return WireErrors.MalformedHttp(malformed);
        }

        stop.Stop(StopCause.ClientGone);
        return stop.Exception();
    }
}
