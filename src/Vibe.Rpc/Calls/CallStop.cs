using System.Diagnostics;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Calls;

/// <summary>
/// Stops a call: knows the deadline, the client's abort and the server's drain, remembers which came first, and cancels the
/// token and the pending read and write. Everything in it is made on first use: most unary calls never ask.
/// </summary>
internal sealed class CallStop(HttpContext http, TimeProvider time, CallDrain drain)
{
    private readonly Lock _lock = new();
    private CancellationTokenSource? _source;
    private CancellationTokenRegistration _aborted;
    private CancellationTokenRegistration _drained;
    private ITimer? _deadlineTimer;
    private bool _readWaits;
    private bool _flushWaits;
    private bool _decided;
    private bool _finished;

    /// <summary>What stopped the call so far.</summary>
    public StopCause Cause { get; private set; }

    /// <summary>When the call must be over, UTC; <see cref="DateTime.MaxValue"/> for never.</summary>
    public DateTime Deadline { get; private set; } = DateTime.MaxValue;

    /// <summary>Fires when the call is stopped, whatever the cause.</summary>
    public CancellationToken Token
    {
        get
        {
            CancellationTokenSource source;
            lock (_lock)
            {
                if (_source is not null)
                {
                    return _source.Token;
                }

                _source = source = new();
                if (Cause != StopCause.None)
                {
                    source.Cancel();
                    return source.Token;
                }

                if (_decided)
                {
                    return source.Token;
                }
            }

            // Outside the lock: a token that has already fired runs the callback here and now.
            var aborted = http.RequestAborted.UnsafeRegister(static self => ((CallStop)self!).Stop(StopCause.ClientGone), this);
            var drained = drain.Expired.UnsafeRegister(static self => ((CallStop)self!).Stop(StopCause.Drained), this);
            lock (_lock)
            {
                if (!_decided)
                {
                    (_aborted, _drained) = (aborted, drained);
                    return source.Token;
                }
            }

            aborted.Dispose();
            drained.Dispose();
            return source.Token;
        }
    }

    /// <summary>Starts the deadline timer. The timer alone decides: comparing clocks instead would race it.</summary>
    public void StartDeadline(TimeSpan timeout)
    {
        Deadline = RpcTimeout.DeadlineAfter(time.GetUtcNow().UtcDateTime, timeout);
        if (timeout <= TimeSpan.Zero)
        {
            Stop(StopCause.DeadlineExceeded);
        }
        else if (timeout <= RpcTimeout.MaxTimer) // A deadline after the longest timer never comes.
        {
            _deadlineTimer = time.CreateTimer(
                static self => ((CallStop)self!).Stop(StopCause.DeadlineExceeded), this, timeout, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Stops the call; the first cause is kept.</summary>
    public void Stop(StopCause cause)
    {
        CancellationTokenSource? source;
        lock (_lock)
        {
            // After the end the pipes belong to the next request on the connection.
            if (_finished || Cause != StopCause.None || (_decided && cause != StopCause.SlowReader))
            {
                return;
            }

            Cause = cause;
            source = _source;

            // Kestrel itself fails what waits for a client that has gone. A drain lets a message that is on its way arrive.
            if (_readWaits && cause != StopCause.ClientGone)
            {
                http.Request.BodyReader.CancelPendingRead();
            }

            if (_flushWaits && cause is (StopCause.DeadlineExceeded or StopCause.SlowReader))
            {
                http.Response.BodyWriter.CancelPendingFlush();
            }
        }

        // The source is never disposed: it has no timer and no handle, and a late Cancel must not throw.
        source?.Cancel();
    }

    /// <summary>Says that a read waits, so that a stop wakes it. Only then: a cancellation nobody waits for would hit the next read.</summary>
    public void ReadWaits()
    {
        lock (_lock)
        {
            _readWaits = true;
            if (Cause is not (StopCause.None or StopCause.ClientGone))
            {
                http.Request.BodyReader.CancelPendingRead();
            }
        }
    }

    /// <summary>Says that the read is back.</summary>
    public void ReadReturned()
    {
        lock (_lock)
        {
            _readWaits = false;
        }
    }

    /// <summary>Says that a flush waits for the client to read, so that a stop wakes it.</summary>
    public void FlushWaits()
    {
        lock (_lock)
        {
            _flushWaits = true;
            if (Cause is StopCause.DeadlineExceeded or StopCause.SlowReader)
            {
                http.Response.BodyWriter.CancelPendingFlush();
            }
        }
    }

    /// <summary>
    /// Says that the flush is back, and tells whether a stop woke it. The flush's own result does not: Kestrel loses
    /// <see cref="System.IO.Pipelines.FlushResult.IsCanceled"/> on the way.
    /// </summary>
    public bool FlushReturned()
    {
        lock (_lock)
        {
            _flushWaits = false;
            return Cause is StopCause.DeadlineExceeded or StopCause.SlowReader;
        }
    }

    /// <summary>Wakes the pending read of a handler that has returned without waiting for it.</summary>
    public void CancelPendingRead()
    {
        lock (_lock)
        {
            if (_readWaits && !_finished)
            {
                http.Request.BodyReader.CancelPendingRead();
            }
        }
    }

    /// <summary>Says whether the client has gone, also when nobody had asked for the token.</summary>
    public bool ClientIsGone()
    {
        if (Cause == StopCause.None && http.RequestAborted.IsCancellationRequested)
        {
            Stop(StopCause.ClientGone);
        }

        return Cause is StopCause.ClientGone or StopCause.SlowReader;
    }

    /// <summary>Says what stopped the call, if anything did. From here on only a slow reader can stop it: the end is being written.</summary>
    public StopCause Decide()
    {
        lock (_lock)
        {
            _decided = true;
        }

        _deadlineTimer?.Dispose();
        _aborted.Dispose();
        _drained.Dispose();
        return Cause;
    }

    /// <summary>Ends the watch. After this the pipes are not touched any more.</summary>
    public void Finish()
    {
        lock (_lock)
        {
            _finished = true;
        }
    }

    /// <summary>The exception that ends what a stopped call was doing.</summary>
    public OperationCanceledException Exception() => new("The call was stopped.", Token);

    /// <summary>The status that a cause stands for.</summary>
    public static Status StatusOf(StopCause cause) => cause switch
    {
        StopCause.ClientGone => new(StatusCode.Cancelled, "The client cancelled the call."),
        StopCause.DeadlineExceeded => new(StatusCode.DeadlineExceeded, "The deadline passed before the call was done."),
        StopCause.Drained => new(StatusCode.Unavailable, "The server is shutting down."),
        StopCause.SlowReader => new(StatusCode.ResourceExhausted, "The client did not read the response in time."),
        _ => throw new UnreachableException(),
    };
}
