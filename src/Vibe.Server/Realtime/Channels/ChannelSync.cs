using Vibe.Realtime.V1;
using Vibe.Server.Realtime.Bus;

namespace Vibe.Server.Realtime.Channels;

/// <summary>
/// Keeps who is present on other nodes equal to what they say. A node that gets its first member of a channel asks the others;
/// from then on it hears every change. After a loss of messages both sides tell everything again.
/// </summary>
/// <param name="bus">The bus.</param>
/// <param name="gate">The lock of the hub: what is answered and what is told later keep their order on the bus.</param>
/// <param name="channels">The channels of this node.</param>
internal sealed class ChannelSync(NodeBus bus, Lock gate, Dictionary<string, LiveChannel> channels) : IBusListener
{
    private const int MaxKeys = 500;

    // Channels with members of a node that is telling everything, and has not named them yet.
    private readonly Dictionary<Guid, HashSet<string>> _unnamed = [];
    private readonly Dictionary<Guid, Gathering> _gatherings = [];

    /// <summary>Asks the nodes that are known who is present, and waits until all have answered or the time is over.</summary>
    public async Task GatherAsync(LiveChannel channel, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        await bus.SettleAsync(limit, cancellationToken);
        var (id, gathering) = (Guid.NewGuid(), new Gathering([.. bus.Peers]));
        if (gathering.Nodes.Count == 0)
        {
            return;
        }

        lock (gate)
        {
            _gatherings.Add(id, gathering);
            Ask(id, [channel.Key], to: null);
        }

        try
        {
            await gathering.Done.Task.WaitAsync(limit, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Who is present there is told when the node answers.
        }
        finally
        {
            lock (gate)
            {
                _gatherings.Remove(id);
            }
        }
    }

    /// <inheritdoc/>
    public void Receive(Guid from, BusKind kind, ReadOnlyMemory<byte> body)
    {
        using var reader = new BusReader(body);
        lock (gate)
        {
            switch (kind)
            {
                case BusKind.ChannelMessage when channels.TryGetValue(reader.ReadString(), out var channel):
                    var recipient = reader.ReadString();
                    channel.Deliver(reader.ReadMessage(ChannelMessage.Parser), recipient);
                    break;
                case BusKind.ChannelPresent when channels.TryGetValue(reader.ReadString(), out var channel):
                    channel.Set(reader.ReadMessage(Presence.Parser), from);
                    break;
                case BusKind.ChannelLeft when channels.TryGetValue(reader.ReadString(), out var channel):
                    channel.Remove(reader.ReadString(), from);
                    break;
                case BusKind.ChannelAsk:
                    Answer(from, reader);
                    break;
                case BusKind.ChannelState:
                    Replace(from, reader);
                    break;
                case BusKind.ChannelAnswered:
                    Complete(reader.ReadGuid(), from);
                    break;
                case BusKind.ChannelAllBegin:
                    _unnamed[from] = [.. channels.Values.Where(channel => channel.PresentAt(from).Count > 0).Select(static channel => channel.Key)];
                    break;
                case BusKind.ChannelAllEnd when _unnamed.Remove(from, out var unnamed):
                    Forget(from, unnamed);
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public void PeerFound(Guid node) => TellAndAsk(node);

    /// <inheritdoc/>
    public void PeerLost(Guid node)
    {
        lock (gate)
        {
            _unnamed.Remove(node);
            Forget(node, channels.Keys);
            foreach (var id in _gatherings.Keys.ToList())
            {
                Complete(id, node);
            }
        }
    }

    /// <inheritdoc/>
    public void Resumed()
    {
        if (bus.HasPeers)
        {
            TellAndAsk(to: null);
        }
    }

    private void TellAndAsk(Guid? to)
    {
        lock (gate)
        {
            bus.Send(new BusMessage(BusKind.ChannelAllBegin, to, default));
            foreach (var channel in channels.Values.Where(static channel => channel.PresentHere.Any()))
            {
                bus.Send(StateOf(channel.Key, to));
            }

            bus.Send(new BusMessage(BusKind.ChannelAllEnd, to, default));
            foreach (var keys in channels.Keys.Chunk(MaxKeys))
            {
                Ask(Guid.NewGuid(), keys, to);
            }
        }
    }

    private void Ask(Guid id, string[] keys, Guid? to)
    {
        using var body = new BusWriter();
        body.Add(id).Write7BitEncodedInt(keys.Length);
        foreach (var key in keys)
        {
            body.Add(key);
        }

        bus.Send(body.For(BusKind.ChannelAsk, to));
    }

    private void Answer(Guid to, BusReader reader)
    {
        var id = reader.ReadGuid();
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
        {
            bus.Send(StateOf(reader.ReadString(), to));
        }

        using var body = new BusWriter();
        bus.Send(body.Add(id).For(BusKind.ChannelAnswered, to));
    }

    private BusMessage StateOf(string key, Guid? to)
    {
        List<Presence> present = channels.TryGetValue(key, out var channel) ? [.. channel.PresentHere] : [];
        using var body = new BusWriter();
        body.Add(key).Write7BitEncodedInt(present.Count);
        foreach (var presence in present)
        {
            body.Add(presence);
        }

        return body.For(BusKind.ChannelState, to);
    }

    private void Replace(Guid from, BusReader reader)
    {
        var key = reader.ReadString();
        if (!channels.TryGetValue(key, out var channel))
        {
            return;
        }

        _unnamed.GetValueOrDefault(from)?.Remove(key);
        var gone = channel.PresentAt(from);
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
        {
            var presence = reader.ReadMessage(Presence.Parser);
            channel.Set(presence, from);
            gone.Remove(presence.MemberId);
        }

        foreach (var member in gone)
        {
            channel.Remove(member, from);
        }
    }

    private void Forget(Guid node, IEnumerable<string> keys)
    {
        foreach (var key in keys)
        {
            if (channels.TryGetValue(key, out var channel))
            {
                foreach (var member in channel.PresentAt(node))
                {
                    channel.Remove(member, node);
                }
            }
        }
    }

    private void Complete(Guid id, Guid node)
    {
        if (_gatherings.TryGetValue(id, out var gathering) && gathering.Nodes.Remove(node) && gathering.Nodes.Count == 0)
        {
            _gatherings.Remove(id);
            gathering.Done.TrySetResult();
        }
    }

    /// <param name="Nodes">Who has not answered.</param>
    private sealed record Gathering(HashSet<Guid> Nodes)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
