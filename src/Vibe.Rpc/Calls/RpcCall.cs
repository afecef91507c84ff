using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Telemetry;

namespace Vibe.Rpc.Calls;

/// <summary>
/// One call in progress, whatever its protocol: what the handler sees as its <see cref="ServerCallContext"/>, and what runs it from
/// the first byte to the last.
/// </summary>
/// <remarks>
/// A protocol is a subclass with four operations: read a message, write a message, start the headers, end the call. "End" is one
/// operation on purpose: a protocol whose status travels in the headers keeps the single message back until then. There is one
/// path through this class for every call; a faster one for simple calls measured no faster and had bugs of its own.
/// </remarks>
public abstract class RpcCall : ServerCallContext
{
    /// <summary>An answer of so many bytes is flushed under the watch over slow readers, not by the end of the request.</summary>
    private protected const int LargeAnswer = 64 * 1024;

    private readonly CallStop _stop;
    private Metadata? _requestHeaders;
    private Metadata? _responseTrailers;
    private bool _headersStarted;

    /// <summary>Prepares a call; <see cref="RunAsync"/> runs it.</summary>
    /// <param name="httpContext">The request.</param>
    /// <param name="rpcMethod">The method it is for.</param>
    protected RpcCall(HttpContext httpContext, RpcMethod rpcMethod)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        ArgumentNullException.ThrowIfNull(rpcMethod);
        HttpContext = httpContext;
        RpcMethod = rpcMethod;
        _stop = new(httpContext, rpcMethod.Server.Time, rpcMethod.Server.Drain);
        RequestBody = new(httpContext, _stop, rpcMethod.Server.RequestMemory);
        ResponseBody = new(httpContext, _stop, rpcMethod);
    }

    /// <summary>The HTTP request that carries the call.</summary>
    public HttpContext HttpContext { get; }

    /// <summary>The method being called.</summary>
    public RpcMethod RpcMethod { get; }

    /// <summary>
    /// Fires when the server begins to shut down. A long stream that watches it can say goodbye and end in peace;
    /// <see cref="ServerCallContext.CancellationToken"/> follows after <see cref="Hosting.RpcServerLimits.DrainTimeout"/>.
    /// </summary>
    public CancellationToken DrainToken => RpcMethod.Server.Drain.Started;

    /// <summary>The protocol's name in logs and metrics, a value of <c>rpc.system.name</c>: <c>grpc</c>, <c>connectrpc</c> or <c>http</c>.</summary>
    protected internal abstract string ProtocolName { get; }

    /// <summary>What the call has counted so far.</summary>
    internal CallCounters Counters { get; } = new();

    /// <summary>The request's bytes.</summary>
    internal RequestBody RequestBody { get; }

    /// <summary>The response's bytes.</summary>
    internal ResponseBody ResponseBody { get; }

    /// <summary>The largest request message in bytes.</summary>
    internal int MaxRequestBytes => RpcMethod.Options.MaxReceiveMessageSize ?? int.MaxValue;

    /// <summary>Whether response headers were handed to <see cref="StartHeaders"/>.</summary>
    private protected bool HeadersStarted => _headersStarted;

    /// <summary>
    /// Checks the protocol's request headers, before anything else runs.
    /// </summary>
    /// <returns>The time the client allows for the call; null when it did not say.</returns>
    /// <exception cref="RpcException">A header is malformed or asks for what is not supported; the call ends with this status.</exception>
    protected abstract TimeSpan? Open();

    /// <summary>Reads the next message.</summary>
    /// <param name="cancellationToken">Gives up the read, and with it the rest of the request.</param>
    /// <returns>The message, or null when the client has sent all of them.</returns>
    protected abstract ValueTask<IMessage?> ReadMessageAsync(CancellationToken cancellationToken);

    /// <summary>Writes a message. Headers have been started before.</summary>
    /// <param name="message">The message.</param>
    /// <param name="flags">The handler's hints.</param>
    /// <param name="cancellationToken">Gives up waiting for the client to read; the message itself is not taken back.</param>
    protected abstract ValueTask WriteMessageAsync(IMessage message, WriteFlags flags, CancellationToken cancellationToken);

    /// <summary>Sets status, content type and the handler's headers on the response, without sending. Called at most once.</summary>
    /// <param name="headers">The handler's headers; null for none.</param>
    protected abstract void StartHeaders(Metadata? headers);

    /// <summary>Sends what <see cref="StartHeaders"/> set, ahead of any message. Protocols that need the status first do nothing.</summary>
    protected virtual Task SendHeadersAsync() => HttpContext.Response.StartAsync();

    /// <summary>Ends the response. Called exactly once, also when nothing was written before.</summary>
    /// <param name="status">The final status.</param>
    /// <param name="trailers">
    /// The handler's trailers; null for none. Error details are in them as <c>grpc-status-details-bin</c>
    /// (see <see cref="ResponseMetadata.ReadDetails"/>).
    /// </param>
    protected abstract ValueTask EndAsync(Status status, Metadata? trailers);

    /// <summary>Runs the call to its end. Never throws for what the client or the handler did.</summary>
    public async Task RunAsync()
    {
        using var telemetry = RpcMethod.Server.Telemetry.Start(this);
        Exception? thrown = null;
        try
        {
            if (Open() is { } timeout)
            {
                _stop.StartDeadline(timeout);
            }

            if (RpcMethod.ClientStreams || RpcMethod.ServerStreams)
            {
                LongStreams.Allow(HttpContext);
                _ = _stop.Token; // A drain must reach a stream that waits for the client, too.
            }

            if (_stop.Cause != StopCause.None)
            {
                throw Stopped();
            }

            await RpcMethod.InvokeAsync(this);
        }
        catch (Exception exception)
        {
            thrown = exception;
        }

        var outcome = CallOutcome.Decide(this, thrown, _stop);
        try
        {
            await FinishAsync(outcome);
        }
        finally
        {
            RequestBody.Release();
            ResponseBody.StopTimer();
            _stop.Finish();
            telemetry.End(outcome.Status, outcome.Trailers);
            (this as IDisposable)?.Dispose();
        }
    }

    /// <summary>Ends a read or a wait whose call was stopped meanwhile.</summary>
    private protected OperationCanceledException Stopped() => _stop.Exception();

    internal void CancelPendingRead() => _stop.CancelPendingRead();

    /// <summary>Reads the one message of a call whose request does not stream, and the end of the request after it.</summary>
    /// <remarks>
    /// Waiting for the end matters: Kestrel resets an HTTP/2 stream that is answered before its request has ended, and some clients
    /// then drop the answer.
    /// </remarks>
    internal async ValueTask<IMessage> ReceiveSingleAsync()
    {
        var message = await ReceiveAsync(CancellationToken.None) ?? throw WireErrors.WrongMessageCount("none");
        return await ReadMessageAsync(CancellationToken.None) is null ? message : throw WireErrors.WrongMessageCount("more than one");
    }

    internal async ValueTask<IMessage?> ReceiveAsync(CancellationToken cancellationToken)
    {
        var message = await ReadMessageAsync(cancellationToken);
        if (message is not null)
        {
            Counters.MessagesReceived++;
        }

        return message;
    }

    internal ValueTask SendAsync(IMessage message, WriteFlags flags, CancellationToken cancellationToken)
    {
        if (_stop.Cause != StopCause.None)
        {
            throw Stopped();
        }

        StartHeadersOnce(null);
        Counters.MessagesSent++;
        return WriteMessageAsync(message, flags, cancellationToken);
    }

    /// <summary>Writes the one message of a call whose response does not stream.</summary>
    internal ValueTask SendSingleAsync(IMessage? message) => message is null
        ? throw new InvalidOperationException($"The handler of {RpcMethod.FullName} returned null.")
        : SendAsync(message, WriteOptions?.Flags ?? default, CancellationToken.None);

    private protected void StartHeadersOnce(Metadata? headers)
    {
        if (!_headersStarted)
        {
            _headersStarted = true;
            StartHeaders(headers);
        }
    }

    /// <summary>Sets the handler's headers, to be sent with whatever comes first.</summary>
    internal void PrepareHeaders(Metadata headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        if (_headersStarted)
        {
            throw new InvalidOperationException("Response headers can be written only once, and only before the first message.");
        }

        StartHeadersOnce(headers);
    }

    private async Task FinishAsync(CallOutcome outcome)
    {
        var log = RpcMethod.Server.Log;
        outcome.Log(log, this);
        if (outcome.ClientIsGone)
        {
            return;
        }

        try
        {
            await EndAsync(outcome.Status, outcome.Trailers);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            RpcLog.ResponseLost(log, RpcMethod.FullName, exception);
        }
    }

    /// <inheritdoc/>
    protected sealed override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        PrepareHeaders(responseHeaders);
        return SendHeadersAsync();
    }

    /// <inheritdoc/>
    protected sealed override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        new(options, DeadlineCore, CancellationTokenCore);

    /// <inheritdoc/>
    protected sealed override string MethodCore => RpcMethod.FullName;

    /// <inheritdoc/>
    protected sealed override string HostCore => HttpContext.Request.Host.Value ?? "";

    /// <inheritdoc/>
    protected sealed override string PeerCore => Peers.Describe(HttpContext.Connection);

    /// <inheritdoc/>
    protected sealed override DateTime DeadlineCore => _stop.Deadline;

    /// <inheritdoc/>
    protected sealed override CancellationToken CancellationTokenCore => _stop.Token;

    /// <inheritdoc/>
    protected sealed override Metadata RequestHeadersCore => _requestHeaders ??= RequestMetadata.Read(HttpContext.Request.Headers);

    /// <inheritdoc/>
    protected sealed override Metadata ResponseTrailersCore => _responseTrailers ??= [];

    /// <summary>The trailers if the handler ever asked for them.</summary>
    internal Metadata? TrailersIfAny => _responseTrailers;

    /// <inheritdoc/>
    protected sealed override Status StatusCore { get; set; } = Status.DefaultSuccess;

    /// <inheritdoc/>
    protected sealed override WriteOptions? WriteOptionsCore { get; set; }

    /// <inheritdoc/>
    protected sealed override AuthContext AuthContextCore => field ??= Peers.Authenticate(HttpContext.Connection);
}
