using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Vibe.Errors.V1;
using Vibe.Realtime.V1;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime.Bus;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Hub;

namespace Vibe.Server.Realtime.Channels;

/// <summary>
/// The channels of this node: who has joined here, and who is present anywhere. Each member has one home, the node of its stream;
/// what it does is decided there and told to the other nodes. Thread-safe; nothing here waits.
/// </summary>
internal sealed class ChannelHub : IChangeWatcher
{
    private readonly Lock _gate = new();
    private readonly NodeBus _bus;
    private readonly ChannelOptions _options;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, LiveChannel> _channels = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, LiveChannel> _byDocument = new();
    private readonly Dictionary<(string? Did, string? App, string StreamId), ChannelMember> _streams = [];
    private readonly Dictionary<string, int> _joined = new(StringComparer.Ordinal);
    private readonly PriorityQueue<ChannelMember, DateTimeOffset> _expiring = new();
    private readonly ChannelSync _sync;
    private bool _mustRecheck;

    public ChannelHub(NodeBus bus, ChannelOptions options, TimeProvider time)
    {
        (_bus, _options, _time) = (bus, options, time);
        _sync = new ChannelSync(bus, _gate, _channels);
        bus.Add(_sync);
    }

    /// <summary>How many members have their stream on this node.</summary>
    public int MemberCount
    {
        get
        {
            lock (_gate)
            {
                return _channels.Values.Sum(static channel => channel.Members.Count);
            }
        }
    }

    /// <summary>Adds a stream, which is told of everything from here on but cannot send before <see cref="Open"/>.</summary>
    /// <exception cref="Grpc.Core.RpcException">RESOURCE_EXHAUSTED.</exception>
    public void Join(ChannelMember member)
    {
        lock (_gate)
        {
            var count = _joined.GetValueOrDefault(KeyOf(member));
            if (count >= _options.MaxChannels)
            {
                throw RealtimeErrors.TooManyChannels(_options.MaxChannels);
            }

            var isNew = !_channels.TryGetValue(member.Channel.Key, out var channel);
            channel ??= new LiveChannel(member.Channel.Key, member.Channel.Document, new Allowance(_options.ChannelRate, _time));
            if (channel.Members.Count >= _options.MaxMembers)
            {
                throw RealtimeErrors.TooManyMembers(_options.MaxMembers);
            }

            _joined[KeyOf(member)] = count + 1;
            channel.Members.Add(member.Id, member);
            if (isNew)
            {
                _channels.Add(channel.Key, channel);
                if (channel.Document is { } document)
                {
                    _byDocument[document] = channel;
                }
            }
        }
    }

    /// <summary>Waits until the other nodes have said who is present, for a while.</summary>
    public Task GatherAsync(ChannelMember member, CancellationToken cancellationToken)
    {
        LiveChannel? channel;
        lock (_gate)
        {
            if (!_channels.TryGetValue(member.Channel.Key, out channel))
            {
                return Task.CompletedTask;
            }
        }

        return channel.GatherOnceAsync(() => _sync.GatherAsync(channel, _options.Gather, _time, CancellationToken.None)).WaitAsync(cancellationToken);
    }

    /// <summary>The stream is in: it may send, and is told of changes after those returned.</summary>
    /// <returns>Who is present.</returns>
    public IReadOnlyList<Presence> Open(ChannelMember member)
    {
        lock (_gate)
        {
            if (!_channels.TryGetValue(member.Channel.Key, out var channel) || !channel.Members.ContainsKey(member.Id))
            {
                return [];
            }

            if (member.StreamId.Length > 0)
            {
                if (_streams.TryGetValue(StreamOf(member), out var earlier))
                {
                    Remove(earlier, ErrorReason.StreamNotFound);
                }

                _streams[StreamOf(member)] = member;
            }

            member.Start();
            return [.. channel.Present];
        }
    }

    /// <summary>Removes a stream.</summary>
    public void Leave(ChannelMember member)
    {
        lock (_gate)
        {
            Remove(member, ErrorReason.StreamNotFound);
        }
    }

    /// <summary>Sends a message.</summary>
    /// <returns>False when the stream is not here.</returns>
    /// <exception cref="Grpc.Core.RpcException">RESOURCE_EXHAUSTED.</exception>
    public bool Publish(string? did, string? app, PublishMessageRequest request)
    {
        lock (_gate)
        {
            if (!TryFind(did, app, request.StreamId, request.Channel, out var member, out var channel))
            {
                return false;
            }

            Spend(member, channel);
            var message = new ChannelMessage { From = member.Id, User = did ?? "", Direct = request.Recipient.Length > 0, Payload = request.Payload };
            channel.Deliver(message, request.Recipient);
            if (_bus.HasPeers && !channel.Members.ContainsKey(request.Recipient))
            {
                using var body = new BusWriter();
                _bus.Send(body.Add(channel.Key).Add(request.Recipient).Add(message).For(BusKind.ChannelMessage));
            }

            return true;
        }
    }

    /// <summary>Sets or clears the state of a member.</summary>
    /// <returns>False when the stream is not here.</returns>
    /// <exception cref="Grpc.Core.RpcException">RESOURCE_EXHAUSTED.</exception>
    public bool SetPresence(string? did, string? app, SetPresenceRequest request)
    {
        lock (_gate)
        {
            if (!TryFind(did, app, request.StreamId, request.Channel, out var member, out var channel))
            {
                return false;
            }

            Spend(member, channel);
            if (!request.HasState)
            {
                Clear(member, channel);
                return true;
            }

            var expires = _time.GetUtcNow() + (request.TimeToLive?.ToTimeSpan() ?? _options.DefaultLife);
            member.StateExpires = expires;
            _expiring.Enqueue(member, expires);
            var presence = new Presence { MemberId = member.Id, User = did ?? "", State = request.State };
            if (channel.Set(presence, node: null) && _bus.HasPeers)
            {
                using var body = new BusWriter();
                _bus.Send(body.Add(channel.Key).Add(presence).For(BusKind.ChannelPresent));
            }

            return true;
        }
    }

    /// <summary>Ends the states whose time is over.</summary>
    public void Expire()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            while (_expiring.TryPeek(out var member, out var time) && time <= now)
            {
                _expiring.Dequeue();
                // A state that was set again has another, later entry.
                if (member.StateExpires == time && _channels.TryGetValue(member.Channel.Key, out var channel))
                {
                    Clear(member, channel);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Changed(FeedDocument version)
    {
        if (!_byDocument.ContainsKey(version.Row.Id))
        {
            return;
        }

        lock (_gate)
        {
            if (_byDocument.TryGetValue(version.Row.Id, out var channel))
            {
                foreach (var member in channel.Members.Values.Where(member => version.IsDeleted || !version.IsVisibleTo(member.Caller)).ToList())
                {
                    Remove(member, ErrorReason.ChannelNotFound);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Reopened() => Volatile.Write(ref _mustRecheck, true);

    /// <summary>Members whose document may have changed without notice, to be checked again; none when nothing was missed.</summary>
    public IReadOnlyList<ChannelMember> TakeUnchecked()
    {
        if (!Interlocked.Exchange(ref _mustRecheck, false))
        {
            return [];
        }

        lock (_gate)
        {
            return [.. _byDocument.Values.SelectMany(static channel => channel.Members.Values)];
        }
    }

    /// <summary>Checking failed: again, later.</summary>
    public void CheckLater() => Volatile.Write(ref _mustRecheck, true);

    /// <summary>Ends a membership.</summary>
    public void Lose(ChannelMember member, ErrorReason reason)
    {
        lock (_gate)
        {
            Remove(member, reason);
        }
    }

    private bool TryFind(
        string? did, string? app, string streamId, string name, [NotNullWhen(true)] out ChannelMember? member, [NotNullWhen(true)] out LiveChannel? channel)
    {
        channel = null;
        return _streams.TryGetValue((did, app, streamId), out member) && member.Channel.Text == name
            && _channels.TryGetValue(member.Channel.Key, out channel);
    }

    private static void Spend(ChannelMember member, LiveChannel channel)
    {
        if ((member.Allowance.Take() ?? channel.Allowance.Take()) is { } wait)
        {
            throw RealtimeErrors.TooManyMessages(wait);
        }
    }

    private void Clear(ChannelMember member, LiveChannel channel)
    {
        member.StateExpires = null;
        if (channel.Remove(member.Id, node: null) && _bus.HasPeers)
        {
            using var body = new BusWriter();
            _bus.Send(body.Add(channel.Key).Add(member.Id).For(BusKind.ChannelLeft));
        }
    }

    // Whoever is removed twice was told the first reason.
    private void Remove(ChannelMember member, ErrorReason reason)
    {
        if (!_channels.TryGetValue(member.Channel.Key, out var channel) || !channel.Members.Remove(member.Id))
        {
            return;
        }

        member.Lose(VibeError.NameOf(reason));
        Clear(member, channel);
        if (_streams.GetValueOrDefault(StreamOf(member)) == member)
        {
            _streams.Remove(StreamOf(member));
        }

        if (--_joined[KeyOf(member)] == 0)
        {
            _joined.Remove(KeyOf(member));
        }

        if (channel.Members.Count == 0)
        {
            _channels.Remove(channel.Key);
            if (channel.Document is { } document)
            {
                _byDocument.TryRemove(document, out _);
            }
        }
    }

    private static string KeyOf(ChannelMember member) => member.Caller.Did ?? member.Network;

    private static (string? Did, string? App, string StreamId) StreamOf(ChannelMember member) => (member.Caller.Did, member.Caller.App, member.StreamId);
}
