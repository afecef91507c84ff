namespace Grpc.Core;

/// <summary>A started call with a stream of responses. Dispose it unless the stream was read to its end.</summary>
/// <typeparam name="TResponse">The response message.</typeparam>
public sealed class AsyncServerStreamingCall<TResponse> : IDisposable
{
    private readonly CallEnd _end;

    /// <summary>Describes a started call; for invokers and test doubles.</summary>
    /// <param name="responseStream">The responses.</param>
    /// <param name="responseHeadersAsync">The response metadata.</param>
    /// <param name="getStatusFunc">Tells the status of the ended call.</param>
    /// <param name="getTrailersFunc">Tells the trailers of the ended call.</param>
    /// <param name="disposeAction">Cancels the call if it still runs.</param>
    public AsyncServerStreamingCall(
        IAsyncStreamReader<TResponse> responseStream,
        Task<Metadata> responseHeadersAsync,
        Func<Status> getStatusFunc,
        Func<Metadata> getTrailersFunc,
        Action disposeAction)
    {
        ResponseStream = responseStream;
        _end = new CallEnd(responseHeadersAsync, getStatusFunc, getTrailersFunc, disposeAction);
    }

    /// <summary>Describes a started call; for invokers and test doubles.</summary>
    /// <param name="responseStream">The responses.</param>
    /// <param name="responseHeadersAsync">The response metadata.</param>
    /// <param name="getStatusFunc">Tells the status of the ended call.</param>
    /// <param name="getTrailersFunc">Tells the trailers of the ended call.</param>
    /// <param name="disposeAction">Cancels the call if it still runs.</param>
    /// <param name="state">Given to each function, which spares a closure per function.</param>
    public AsyncServerStreamingCall(
        IAsyncStreamReader<TResponse> responseStream,
        Func<object, Task<Metadata>> responseHeadersAsync,
        Func<object, Status> getStatusFunc,
        Func<object, Metadata> getTrailersFunc,
        Action<object> disposeAction,
        object state)
    {
        ResponseStream = responseStream;
        _end = new CallEnd(responseHeadersAsync, getStatusFunc, getTrailersFunc, disposeAction, state);
    }

    /// <summary>The responses.</summary>
    public IAsyncStreamReader<TResponse> ResponseStream { get; }

    /// <summary>The response metadata, as soon as it arrived.</summary>
    public Task<Metadata> ResponseHeadersAsync => _end.ResponseHeadersAsync();

    /// <summary>The status of the ended call.</summary>
    /// <exception cref="InvalidOperationException">The call still runs.</exception>
    public Status GetStatus() => _end.GetStatus();

    /// <summary>The trailers of the ended call.</summary>
    /// <exception cref="InvalidOperationException">The call still runs.</exception>
    public Metadata GetTrailers() => _end.GetTrailers();

    /// <summary>Cancels the call if it still runs, and frees what it holds.</summary>
    public void Dispose() => _end.Dispose();
}
