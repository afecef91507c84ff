using System.Diagnostics.Metrics;
using Vibe.Server.Realtime.Bus;
using Vibe.Server.Realtime.Channels;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Hub;

namespace Vibe.Server.Realtime;

/// <summary>What there is of live queries and channels at this moment, looked at when somebody asks.</summary>
internal sealed class RealtimeGauges : IDisposable
{
    private readonly Meter _meter;

    public RealtimeGauges(IMeterFactory meters, ChangeHub hub, FeedPace pace, ChannelHub channels, NodeBus bus)
    {
        _meter = meters.Create(RealtimeMeters.Name);
        _meter.CreateObservableUpDownCounter("vibe.live.streams", () => hub.SubscriberCount, "{stream}", "Live query streams open on this node.");
        _meter.CreateObservableUpDownCounter("vibe.channel.members", () => channels.MemberCount, "{member}", "Members of channels whose stream is on this node.");
        _meter.CreateObservableGauge("vibe.feed.live", () => hub.Confirmed is null ? 0 : 1, unit: null, "1 while the change feed is live on this node, else 0.");
        _meter.CreateObservableGauge(
            "vibe.feed.age", () => pace.Age.TotalSeconds, "s", "Age of the latest moment the change feed has told in full. Up to a second when nothing changes.");
        _meter.CreateObservableGauge("vibe.bus.nodes", () => bus.Peers.Count + 1, "{node}", "Nodes that hear each other, this one included.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
