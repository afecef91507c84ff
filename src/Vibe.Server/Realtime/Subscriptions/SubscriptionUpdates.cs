using Grpc.Core;
using Vibe.Realtime.V1;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime.Bus;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>Changes the targets of a running stream, at whatever node it is.</summary>
internal sealed class SubscriptionUpdates
{
    private readonly Subscribers _subscribers;
    private readonly NodeCalls _nodes;

    public SubscriptionUpdates(Subscribers subscribers, NodeCalls nodes)
    {
        (_subscribers, _nodes) = (subscribers, nodes);
        nodes.Handle(NodeCallKind.UpdateSubscriptions, UpdateSubscriptionsRequest.Parser, Serve);
    }

    /// <summary>Makes the change.</summary>
    /// <exception cref="RpcException">There is no such stream, or the change is not possible; nothing is changed then.</exception>
    public async Task RunAsync(Caller caller, UpdateSubscriptionsRequest request, CancellationToken cancellationToken)
    {
        if (!await _nodes.RunAsync(NodeCallKind.UpdateSubscriptions, caller, request, cancellationToken))
        {
            throw RealtimeErrors.StreamNotFound(request.StreamId);
        }
    }

    private bool Serve(string? did, string? app, UpdateSubscriptionsRequest request)
    {
        if (_subscribers.Find(did, app, request.StreamId) is not { } subscriber)
        {
            return false;
        }

        // As far as the token of the stream reaches: it ends with that, whatever token the call came with.
        subscriber.Update(
            [.. request.Add.Select((target, index) => TargetPlan.Read(target, $"add[{index}].", subscriber.Caller))], request.Remove);
        return true;
    }
}
