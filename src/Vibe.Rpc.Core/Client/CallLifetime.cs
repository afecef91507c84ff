using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>
/// The life of one call from its start to its one and only status. The status comes from the server, the deadline, a cancellation or
/// a failure, whichever is first; everything the call holds is freed then. Thread-safe.
/// </summary>
internal sealed class CallLifetime : IDisposable
{
    private readonly Lock _gate = new();
    private readonly GrpcChannel _channel;
    private readonly MethodRoute _route;
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DateTime _deadline;
    private readonly long _startTimestamp;
    private CancellationTokenRegistration _caller;
    private CancellationTokenRegistration _parent;
    private CancellationTokenRegistration _shutdown;
    private ITimer? _timer;
    private ResponseReader? _reader;
    private bool _reading;
    private bool _hasEnded;
    private Status _status;
    private Metadata _trailers = Metadata.Empty;

    public CallLifetime(GrpcChannel channel, MethodRoute route, in CallOptions options)
    {
        _channel = channel;
        _route = route;
        _deadline = DeadlineOf(options);
        _startTimestamp = Clock.GetTimestamp();
        Activity = ClientTelemetry.Start(route);
        Start(options.CancellationToken, options.PropagationToken?.CancellationToken ?? default);
    }

    /// <summary>The span of the call; null when nobody listens.</summary>
    public Activity? Activity { get; }

    /// <summary>Fires when the call ended, however it did.</summary>
    public CancellationToken Ended => _ended.Token;

    public Task<Metadata> HeadersAsync => _headers.Task;

    public bool HasEnded
    {
        get
        {
            lock (_gate)
            {
                return _hasEnded;
            }
        }
    }

    /// <summary>The time to the deadline; null when there is none.</summary>
    public TimeSpan? TimeLeft => _deadline == DateTime.MaxValue ? null : _deadline - Clock.GetUtcNow().UtcDateTime;

    private TimeProvider Clock => _channel.Options.TimeProvider;

    /// <summary>Ends the call unless it has ended: the first status counts.</summary>
    public void End(Status status, Metadata trailers)
    {
        ResponseReader? idleReader;
        ITimer? timer;
        lock (_gate)
        {
            if (_hasEnded)
            {
                return;
            }

            _hasEnded = true;
            _status = status;
            _trailers = trailers;
            timer = _timer;
            _caller.Unregister();
            _parent.Unregister();
            _shutdown.Unregister();

            // A reader in use is freed by whoever uses it: see EndRead.
            idleReader = _reading ? null : _reader;
        }

        timer?.Dispose();
        if (status.StatusCode == StatusCode.OK)
        {
            _channel.Throttle?.Succeeded();
            _headers.TrySetResult(Metadata.Empty);
        }
        else if (_headers.TrySetException(CreateException()))
        {
            // Most callers never ask for the headers.
            _ = _headers.Task.Exception;
        }

        ClientTelemetry.End(_route, Activity, status.StatusCode, Clock.GetElapsedTime(_startTimestamp));
        _ended.Cancel();
        idleReader?.Dispose();
    }

    /// <summary>Ends the call because of an exception.</summary>
    public void Fail(Exception exception)
    {
        // A server whose clock runs ahead of ours resets the stream a moment before our own timer fires.
        var status = FailureStatus.IsResetByCancel(exception) && TimeLeft <= TimeSpan.Zero ? DeadlineExceeded() : FailureStatus.From(exception);
        End(status, exception is RpcException failed ? failed.Trailers : Metadata.Empty);
    }

    /// <summary>Ends the call on behalf of its caller.</summary>
    public void Cancel() => End(new Status(StatusCode.Cancelled, "The caller cancelled the call."), Metadata.Empty);

    /// <summary>Ends the call on behalf of a caller that has lost interest.</summary>
    public void Dispose() => Cancel();

    /// <summary>Takes over an opened response; false when the call has ended meanwhile, and the response is freed then.</summary>
    public bool TryAttach(ResponseReader reader, Metadata headers)
    {
        lock (_gate)
        {
            if (!_hasEnded)
            {
                _reader = reader;
                _headers.TrySetResult(headers);
                return true;
            }
        }

        reader.Dispose();
        return false;
    }

    /// <summary>Asks to read from the response; false when the call has ended. Each true needs an <see cref="EndRead"/>.</summary>
    public bool TryBeginRead()
    {
        lock (_gate)
        {
            if (_hasEnded)
            {
                return false;
            }

            if (_reading)
            {
                throw new InvalidOperationException("The stream is being read already: await one MoveNext before the next.");
            }

            return _reading = true;
        }
    }

    /// <summary>Ends a read.</summary>
    public void EndRead()
    {
        ResponseReader? unused;
        lock (_gate)
        {
            _reading = false;
            unused = _hasEnded ? _reader : null;
        }

        unused?.Dispose();
    }

    /// <summary>Throws unless the call ended with OK.</summary>
    public void ThrowIfFailed()
    {
        if (GetStatus().StatusCode != StatusCode.OK)
        {
            throw CreateException();
        }
    }

    /// <summary>What to throw at someone who waited for a call that failed.</summary>
    public Exception CreateException() =>
        _status.StatusCode == StatusCode.Cancelled && _channel.Options.ThrowOperationCanceledOnCancellation
            ? new OperationCanceledException(_status.Detail, new RpcException(_status, _trailers))
            : new RpcException(_status, _trailers);

    public Status GetStatus()
    {
        lock (_gate)
        {
            return _hasEnded ? _status : throw new InvalidOperationException("The call still runs: it has no status yet.");
        }
    }

    public Metadata GetTrailers()
    {
        lock (_gate)
        {
            return _hasEnded ? _trailers : throw new InvalidOperationException("The call still runs: it has no trailers yet.");
        }
    }

    private static DateTime DeadlineOf(in CallOptions options)
    {
        var deadline = options.Deadline ?? DateTime.MaxValue;
        if (deadline.Kind != DateTimeKind.Utc && deadline != DateTime.MaxValue && deadline != DateTime.MinValue)
        {
            throw new InvalidOperationException("A deadline must be in UTC (DateTimeKind.Utc).");
        }

        var inherited = options.PropagationToken?.Deadline ?? DateTime.MaxValue;
        return inherited < deadline ? inherited : deadline;
    }

    private static Status DeadlineExceeded() => new(StatusCode.DeadlineExceeded, "The deadline passed.");

    private void Start(CancellationToken caller, CancellationToken parent)
    {
        if (TimeLeft is { } left)
        {
            if (left <= TimeSpan.Zero)
            {
                End(DeadlineExceeded(), Metadata.Empty);
                return;
            }

            var timer = Clock.CreateTimer(
                static state => ((CallLifetime)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer = timer;
            timer.Change(RpcTimeout.ClampToTimer(left), Timeout.InfiniteTimeSpan);
        }

        Register(caller, ref _caller);
        Register(parent, ref _parent);
        Register(_channel.Shutdown, ref _shutdown);
    }

    private void Register(CancellationToken token, ref CancellationTokenRegistration registration)
    {
        // Outside the lock: a token that fired already ends the call right here.
        var registered = token.UnsafeRegister(static state => ((CallLifetime)state!).Cancel(), this);
        lock (_gate)
        {
            if (!_hasEnded)
            {
                registration = registered;
                return;
            }
        }

        registered.Unregister();
    }

    private void OnTimer()
    {
        // Deadlines may be farther away than a timer can wait, and a timer may be early by a tick.
        if (TimeLeft is { } left && left > TimeSpan.Zero)
        {
            _timer?.Change(RpcTimeout.ClampToTimer(left), Timeout.InfiniteTimeSpan);
            return;
        }

        End(DeadlineExceeded(), Metadata.Empty);
    }
}
