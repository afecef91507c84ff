namespace Grpc.Core;

/// <summary>The functions that the four kinds of call share, with or without a state object.</summary>
internal readonly struct CallEnd
{
    private readonly object _headers;
    private readonly Delegate _status;
    private readonly Delegate _trailers;
    private readonly Delegate _dispose;
    private readonly object? _state;

    public CallEnd(Task<Metadata> headers, Func<Status> status, Func<Metadata> trailers, Action dispose)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(trailers);
        ArgumentNullException.ThrowIfNull(dispose);
        _headers = headers;
        _status = status;
        _trailers = trailers;
        _dispose = dispose;
        _state = null;
    }

    public CallEnd(
        Func<object, Task<Metadata>> headers,
        Func<object, Status> status,
        Func<object, Metadata> trailers,
        Action<object> dispose,
        object state)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(trailers);
        ArgumentNullException.ThrowIfNull(dispose);
        ArgumentNullException.ThrowIfNull(state);
        _headers = headers;
        _status = status;
        _trailers = trailers;
        _dispose = dispose;
        _state = state;
    }

    public Task<Metadata> ResponseHeadersAsync() =>
        _state is null ? (Task<Metadata>)_headers : ((Func<object, Task<Metadata>>)_headers)(_state);

    public Status GetStatus() => _state is null ? ((Func<Status>)_status)() : ((Func<object, Status>)_status)(_state);

    public Metadata GetTrailers() => _state is null ? ((Func<Metadata>)_trailers)() : ((Func<object, Metadata>)_trailers)(_state);

    public void Dispose()
    {
        if (_state is null)
        {
            ((Action)_dispose)();
        }
        else
        {
            ((Action<object>)_dispose)(_state);
        }
    }
}
