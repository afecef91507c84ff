using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Vibe.Rpc.Telemetry;

namespace Vibe.Rpc.Calls;

/// <summary>
/// Flushes the response's bytes. A flush waits while the client does not read; after <see cref="Hosting.RpcServerLimits.WriteTimeout"/>
/// the stream is reset. What can pile up meanwhile is bounded: Kestrel's buffer for the stream, and the message being written.
/// </summary>
internal sealed class ResponseBody(HttpContext http, CallStop stop, RpcMethod method)
{
    // https://httpwg.org/specs/rfc9113.html#ErrorCodes
    private const int Http2Cancel = 0x8;
    private const int Http2EnhanceYourCalm = 0xb;

    private ITimer? _timer;

    /// <summary>The pipe of the body.</summary>
    public PipeWriter Pipe { get; } = http.Response.BodyWriter;

    /// <summary>Sends what was written to <see cref="Pipe"/>.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var flush = Pipe.FlushAsync(cancellationToken);
        if (!flush.IsCompletedSuccessfully)
        {
            return WaitAsync(flush);
        }

        Check(flush.GetAwaiter().GetResult());
        return default;
    }

    /// <summary>Ends the watch over slow readers.</summary>
    public void StopTimer() => _timer?.Dispose();

    private async ValueTask WaitAsync(ValueTask<FlushResult> flush)
    {
        var timeout = method.Server.WriteTimeout;
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            _timer ??= method.Server.Time.CreateTimer(
                static self => ((CallStop)self!).Stop(StopCause.SlowReader), stop, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(timeout, Timeout.InfiniteTimeSpan);
        }

        stop.FlushWaits();
        var woken = false;
        try
        {
            Check(await flush);
        }
        catch (Exception exception) when (exception is IOException or ConnectionAbortedException)
        {
            stop.Stop(StopCause.ClientGone);
            throw stop.Exception();
        }
        finally
        {
            woken = stop.FlushReturned();
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        if (woken)
        {
            // Part of a message may be stuck in the pipe, and no status can overtake it.
            Reset();
            throw stop.Exception();
        }
    }

    private void Check(FlushResult result)
    {
        if (result.IsCompleted)
        {
            stop.Stop(StopCause.ClientGone);
            throw stop.Exception();
        }
    }

    private void Reset()
    {
        if (stop.Cause == StopCause.SlowReader)
        {
            RpcLog.SlowReader(method.Server.Log, method.FullName, method.Server.WriteTimeout.TotalSeconds);
        }

        if (http.Features.Get<IHttpResetFeature>() is { } http2)
        {
            http2.Reset(stop.Cause == StopCause.SlowReader ? Http2EnhanceYourCalm : Http2Cancel);
        }
        else
        {
            http.Abort();
        }
    }
}
