using Grpc.Core;
using Vibe.Realtime.V1;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;
using Vibe.Server.Realtime.Channels;
using Vibe.Server.Realtime.Subscriptions;

namespace Vibe.Server.Realtime;

/// <summary>The realtime API. What it does is said in the contract.</summary>
internal sealed class RealtimeService(
    SubscriberServices services, Subscribers subscribers, SubscriptionUpdates updates, StreamAllowances allowances, ChannelCalls channels,
    Consistency consistency)
    : Vibe.Realtime.V1.RealtimeService.RealtimeServiceBase
{
    // The contract says 10 seconds until others hear of it.
    private static readonly TimeSpan LostPeer = TimeSpan.FromSeconds(8);

    /// <inheritdoc/>
    public override async Task Subscribe(SubscribeRequest request, IServerStreamWriter<SubscribeResponse> responseStream, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var isSingle = request.Targets.Count == 0 && request.Collection.Length > 0;
        CheckForm(request, isSingle);
        using var allowance = allowances.Open(caller, Limit.NetworkOf(context.Peer));
        using var subscriber = new Subscriber(caller, StreamIds.Check(request.StreamId), services.Options, services.Time, allowance);
        var failures = new List<TargetError>();
        List<TargetPlan> plans = isSingle
            ? [TargetPlan.Read(SingleOf(request, context), "", caller)]
            : ReadAll(request.Targets, caller, failures);
        if (consistency.Find(context.RequestHeaders) is { } point)
        {
            plans = [.. plans.Select(plan => plan with { AtLeast = point })];
        }

        subscriber.Update(plans, []);
        subscribers.Add(subscriber);
        try
        {
            foreach (var failure in failures)
            {
                await responseStream.WriteAsync(new SubscribeResponse { TargetError = failure }, context.CancellationToken);
            }

            await new SubscriberLoop(services, subscriber, responseStream, isSingle).RunAsync(context.GetDrainToken(), context.CancellationToken);
        }
        finally
        {
            subscribers.Remove(subscriber);
        }
    }

    /// <inheritdoc/>
    public override async Task<UpdateSubscriptionsResponse> UpdateSubscriptions(UpdateSubscriptionsRequest request, ServerCallContext context)
    {
        StreamIds.Check(request.StreamId);
        CheckIds(request.Add, "add");
        await updates.RunAsync(context.GetCaller(), request, context.CancellationToken);
        return new UpdateSubscriptionsResponse();
    }

    /// <inheritdoc/>
    public override Task JoinChannel(JoinChannelRequest request, IServerStreamWriter<JoinChannelResponse> responseStream, ServerCallContext context)
    {
        context.NoticeLostPeer(LostPeer);
        return channels.JoinAsync(
            context.GetCaller(), Limit.NetworkOf(context.Peer), request, responseStream, context.GetDrainToken(), context.CancellationToken);
    }

    /// <inheritdoc/>
    public override async Task<PublishMessageResponse> PublishMessage(PublishMessageRequest request, ServerCallContext context)
    {
        await channels.PublishAsync(context.GetCaller(), request, context.CancellationToken);
        return new PublishMessageResponse();
    }

    /// <inheritdoc/>
    public override async Task<SetPresenceResponse> SetPresence(SetPresenceRequest request, ServerCallContext context)
    {
        await channels.SetPresenceAsync(context.GetCaller(), request, context.CancellationToken);
        return new SetPresenceResponse();
    }

    private void CheckForm(SubscribeRequest request, bool isSingle)
    {
        if (!isSingle && (request.Collection.Length > 0 || request.Filter.Length > 0 || request.Cursor.Length > 0 || request.OrderBy.Length > 0))
        {
            throw VibeError.InvalidField("targets", "and the fields of a single target exclude each other", "subscribe.form");
        }

        if (!isSingle && request.Targets.Count == 0 && request.StreamId.Length == 0)
        {
            throw VibeError.InvalidField("collection", "is required, or targets, or a stream_id to add targets by", "subscribe.form");
        }

        if (request.Targets.Count > services.Options.MaxTargets)
        {
            throw RealtimeErrors.TooManyTargets("targets", services.Options.MaxTargets);
        }

        CheckIds(request.Targets, "targets");
    }

    private static void CheckIds(IEnumerable<Target> targets, string field)
    {
        if (targets.GroupBy(static target => target.Id).Any(static group => group.Count() > 1))
        {
            throw VibeError.InvalidField(field, "have ids of their own", "subscribe.ids");
        }
    }

    // One bad target fails alone: the others are served.
    private static List<TargetPlan> ReadAll(IEnumerable<Target> targets, Caller caller, List<TargetError> failures)
    {
        List<TargetPlan> plans = [];
        foreach (var target in targets)
        {
            try
            {
                plans.Add(TargetPlan.Read(target, "", caller));
            }
            catch (RpcException exception)
            {
                failures.Add(FrameWriter.ErrorOf(target.Id, exception));
            }
        }

        return plans;
    }

    private static Target SingleOf(SubscribeRequest request, ServerCallContext context)
    {
        // A browser that reconnects repeats the address it had, and says in the header how far it got.
        var resumed = context.RequestHeaders.GetValue("last-event-id");
        return new Target
        {
            Collection = request.Collection,
            Scope = request.Scope,
            Filter = request.Filter,
            OrderBy = request.OrderBy,
            Limit = request.Limit,
            Cursor = request.Limit > 0 || string.IsNullOrEmpty(resumed) ? request.Cursor : resumed,
            ReadMask = { request.ReadMask },
            Initial = request.Initial,
        };
    }
}
