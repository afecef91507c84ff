namespace Grpc.Core;

/// <summary>A started call with a stream of requests.</summary>
/// <typeparam name="TRequest">The request message.</typeparam>
/// <typeparam name="TResponse">The response message.</typeparam>
public sealed class AsyncClientStreamingCall<TRequest, TResponse> : IDisposable
{
    private readonly CallEnd _end;
    private readonly Task<TResponse> _response;

    /// <summary>Describes a started call; for invokers and test doubles.</summary>
    /// <param name="requestStream">Takes the requests.</param>
    /// <param name="responseAsync">The response.</param>
    /// <param name="responseHeadersAsync">The response metadata.</param>
    /// <param name="getStatusFunc">Tells the status of the ended call.</param>
    /// <param name="getTrailersFunc">Tells the trailers of the ended call.</param>
    /// <param name="disposeAction">Cancels the call if it still runs.</param>
    public AsyncClientStreamingCall(
        IClientStreamWriter<TRequest> requestStream,
        Task<TResponse> responseAsync,
        Task<Metadata> responseHeadersAsync,
        Func<Status> getStatusFunc,
        Func<Metadata> getTrailersFunc,
        Action disposeAction)
    {
        RequestStream = requestStream;
        _response = responseAsync;
        _end = new CallEnd(responseHeadersAsync, getStatusFunc, getTrailersFunc, disposeAction);
    }

    /// <summary>Describes a started call; for invokers and test doubles.</summary>
    /// <param name="requestStream">Takes the requests.</param>
    /// <param name="responseAsync">The response.</param>
    /// <param name="responseHeadersAsync">The response metadata.</param>
    /// <param name="getStatusFunc">Tells the status of the ended call.</param>
    /// <param name="getTrailersFunc">Tells the trailers of the ended call.</param>
    /// <param name="disposeAction">Cancels the call if it still runs.</param>
    /// <param name="state">Given to each function, which spares a closure per function.</param>
    public AsyncClientStreamingCall(
        IClientStreamWriter<TRequest> requestStream,
        Task<TResponse> responseAsync,
        Func<object, Task<Metadata>> responseHeadersAsync,
        Func<object, Status> getStatusFunc,
        Func<object, Metadata> getTrailersFunc,
        Action<object> disposeAction,
        object state)
    {
        RequestStream = requestStream;
        _response = responseAsync;
        _end = new CallEnd(responseHeadersAsync, getStatusFunc, getTrailersFunc, disposeAction, state);
    }

    /// <summary>Takes the requests.</summary>
    public IClientStreamWriter<TRequest> RequestStream { get; }

    /// <summary>The response; fails with <see cref="RpcException"/> when the call ends with another status than OK.</summary>
    public Task<TResponse> ResponseAsync => _response;

    /// <summary>The response metadata, as soon as it arrived.</summary>
    public Task<Metadata> ResponseHeadersAsync => _end.ResponseHeadersAsync();

    /// <summary>Lets the call itself be awaited for its response.</summary>
    public System.Runtime.CompilerServices.TaskAwaiter<TResponse> GetAwaiter() => _response.GetAwaiter();

    /// <summary>Lets the call itself be awaited for its response.</summary>
    /// <param name="continueOnCapturedContext">Whether the awaiting method goes on in its own context.</param>
    public System.Runtime.CompilerServices.ConfiguredTaskAwaitable<TResponse> ConfigureAwait(bool continueOnCapturedContext) =>
        _response.ConfigureAwait(continueOnCapturedContext);

    /// <summary>The status of the ended call.</summary>
    /// <exception cref="InvalidOperationException">The call still runs.</exception>
    public Status GetStatus() => _end.GetStatus();

    /// <summary>The trailers of the ended call.</summary>
    /// <exception cref="InvalidOperationException">The call still runs.</exception>
    public Metadata GetTrailers() => _end.GetTrailers();

    /// <summary>Cancels the call if it still runs, and frees what it holds.</summary>
    public void Dispose() => _end.Dispose();
}
