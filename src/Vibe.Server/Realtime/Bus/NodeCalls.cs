using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Vibe.Rpc;
using Vibe.Server.Kernel;
using RpcStatus = Google.Rpc.Status;

namespace Vibe.Server.Realtime.Bus;

/// <summary>Which call one node makes at another.</summary>
internal enum NodeCallKind : byte
{
    /// <summary>UpdateSubscriptions.</summary>
    UpdateSubscriptions = 1,

    /// <summary>PublishMessage.</summary>
    PublishMessage = 2,

    /// <summary>SetPresence.</summary>
    SetPresence = 3,
}

/// <summary>Serves calls about streams from whatever node has the stream. Thread-safe.</summary>
internal sealed class NodeCalls : IBusListener
{
    private const byte NotMine = 0;
    private const byte Done = 1;
    private const byte Failed = 2;

    // Calls that other nodes are asked about at a time: whoever makes ids up must not keep all nodes busy.
    private const int MaxPending = 1000;

    private readonly NodeBus _bus;
    private readonly BusOptions _options;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<NodeCallKind, Handler> _handlers = new();
    private readonly ConcurrentDictionary<Guid, Pending> _pending = new();

    public NodeCalls(NodeBus bus, BusOptions options, TimeProvider time)
    {
        (_bus, _options, _time) = (bus, options, time);
        bus.Add(this);
    }

    /// <summary>Says how this node serves calls of a kind.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="parser">Reads the request of a call from another node.</param>
    /// <param name="serve">
    /// Takes the DID and the app of the caller and the request. Returns false when the stream is not here; fails as the call does.
    /// </param>
    public void Handle<T>(NodeCallKind kind, MessageParser<T> parser, Func<string?, string?, T, bool> serve)
        where T : IMessage<T> =>
        _handlers[kind] = new Handler(bytes => parser.ParseFrom(bytes), (did, app, request) => serve(did, app, (T)request));

    /// <summary>Has a call served, here or elsewhere.</summary>
    /// <returns>False when no node has the stream.</returns>
    /// <exception cref="RpcException">The call failed where the stream is, or a node that may have it did not answer.</exception>
    public Task<bool> RunAsync(NodeCallKind kind, Caller caller, IMessage request, CancellationToken cancellationToken) =>
        _handlers[kind].Serve(caller.Did, caller.App, request) ? Task.FromResult(true) : AskAsync(kind, caller, request, cancellationToken);

    /// <inheritdoc/>
    public void Receive(Guid from, BusKind kind, ReadOnlyMemory<byte> body)
    {
        using var reader = new BusReader(body);
        if (kind == BusKind.Call)
        {
            Answer(from, reader);
        }
        else if (kind == BusKind.Answer && _pending.TryGetValue(reader.ReadGuid(), out var pending))
        {
            switch (reader.ReadByte())
            {
                case NotMine:
                    pending.Deny(from);
                    break;
                case Done:
                    pending.Outcome.TrySetResult(true);
                    break;
                default:
                    pending.Outcome.TrySetException(reader.ReadMessage(RpcStatus.Parser).ToRpcException());
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public void PeerFound(Guid node)
    {
        // Who comes later cannot have a stream that was there before.
    }

    /// <inheritdoc/>
    public void PeerLost(Guid node)
    {
        foreach (var pending in _pending.Values)
        {
            pending.Deny(node);
        }
    }

    /// <inheritdoc/>
    public void Resumed()
    {
        // Calls that were lost run into their time limit.
    }

    private async Task<bool> AskAsync(NodeCallKind kind, Caller caller, IMessage request, CancellationToken cancellationToken)
    {
        if (_pending.Count >= MaxPending || !await _bus.SettleAsync(_options.CallTimeout, cancellationToken))
        {
            throw RealtimeErrors.ServerUnreachable();
        }

        var (id, pending) = (Guid.NewGuid(), new Pending(_bus.Peers));
        if (pending.IsOver)
        {
            return false;
        }

        _pending[id] = pending;
        try
        {
            using var body = new BusWriter();
            body.Add(id).Add((byte)kind).Add(caller.Did ?? "").Add(caller.App ?? "").Add(request);
            _bus.Send(body.For(BusKind.Call));
            return await pending.Outcome.Task.WaitAsync(_options.CallTimeout, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw RealtimeErrors.ServerUnreachable();
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    private void Answer(Guid to, BusReader call)
    {
        var id = call.ReadGuid();
        using var answer = new BusWriter();
        answer.Add(id);
        try
        {
            answer.Add(Serve(call) ? Done : NotMine);
        }
        catch (RpcException exception)
        {
            answer.Add(Failed).Add(exception.GetRpcStatus() ?? new RpcStatus { Code = (int)exception.StatusCode, Message = exception.Status.Detail });
        }

        _bus.Send(answer.For(BusKind.Answer, to));
    }

    private bool Serve(BusReader call)
    {
        var kind = (NodeCallKind)call.ReadByte();
        var (did, app) = (call.ReadString(), call.ReadString());
        return _handlers.TryGetValue(kind, out var handler)
            && handler.Serve(did.Length == 0 ? null : did, app.Length == 0 ? null : app, handler.Parse(call.ReadBlob().ToArray()));
    }

    private sealed record Handler(Func<byte[], IMessage> Parse, Func<string?, string?, IMessage, bool> Serve);

    private sealed class Pending(IEnumerable<Guid> peers)
    {
        private readonly HashSet<Guid> _peers = [.. peers];

        public TaskCompletionSource<bool> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsOver => _peers.Count == 0;

        // One thread receives; nobody else touches the set once the call is out.
        public void Deny(Guid peer)
        {
            lock (_peers)
            {
                if (_peers.Remove(peer) && _peers.Count == 0)
                {
                    Outcome.TrySetResult(false);
                }
            }
        }
    }
}
