using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Realtime.V1;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime.Bus;

namespace Vibe.Server.Realtime.Channels;

/// <summary>The calls about channels. What they do is said in the contract.</summary>
internal sealed class ChannelCalls
{
    private readonly ChannelHub _hub;
    private readonly DocumentStore _documents;
    private readonly ICallerAccess _access;
    private readonly NodeCalls _nodes;
    private readonly ChannelOptions _options;
    private readonly TimeProvider _time;

    public ChannelCalls(
        ChannelHub hub, DocumentStore documents, ICallerAccess access, NodeCalls nodes, ChannelOptions options, TimeProvider time)
    {
        (_hub, _documents, _access, _nodes, _options, _time) = (hub, documents, access, nodes, options, time);
        nodes.Handle(NodeCallKind.PublishMessage, PublishMessageRequest.Parser, hub.Publish);
        nodes.Handle(NodeCallKind.SetPresence, SetPresenceRequest.Parser, hub.SetPresence);
    }

    /// <summary>Joins, and serves the stream to its end.</summary>
    /// <param name="caller">Who joins.</param>
    /// <param name="network">Where a signed-out visitor comes from.</param>
    /// <param name="request">What they ask for.</param>
    /// <param name="output">The client.</param>
    /// <param name="drain">The server stops.</param>
    /// <param name="cancellationToken">The client has left.</param>
    public async Task JoinAsync(
        Caller caller, string network, JoinChannelRequest request, IServerStreamWriter<JoinChannelResponse> output, CancellationToken drain,
        CancellationToken cancellationToken)
    {
        var name = ChannelName.Read(request.Channel, caller);
        using var member = new ChannelMember(caller, name, StreamIds.Check(request.StreamId), network, _options, _time);
        // In the channel before the check: what closes the document after the check finds the member.
        _hub.Join(member);
        using var access = _access.Watch(caller, cancellationToken);
        await using var over = access.Token.UnsafeRegister(
            _ =>
            {
                if (access.Reason is { } reason)
                {
                    _hub.Lose(member, reason);
                }
            },
            null);
        try
        {
            if (name.Document is { } document && await _documents.FindAsync(caller, document, cancellationToken) is null)
            {
                throw RealtimeErrors.ChannelNotFound(name.Text);
            }

            await _hub.GatherAsync(member, cancellationToken);
            await new ChannelLoop(_hub, member, output, _options, _time).RunAsync(drain, access.Token);
        }
        catch (OperationCanceledException) when (access.Reason is { } reason)
        {
            // Whatever it was about to send is not for this caller any more.
            await output.WriteAsync(
                new JoinChannelResponse { AccessLost = new AccessLost { Reason = VibeError.NameOf(reason) } }, CancellationToken.None);
        }
        finally
        {
            _hub.Leave(member);
        }
    }

    /// <summary>Sends a message.</summary>
    public async Task PublishAsync(Caller caller, PublishMessageRequest request, CancellationToken cancellationToken)
    {
        StreamIds.Check(request.StreamId);
        CheckSize(request.Payload, _options.MaxPayloadBytes, "payload");
        if (!await _nodes.RunAsync(NodeCallKind.PublishMessage, caller, request, cancellationToken))
        {
            throw RealtimeErrors.StreamNotFound(request.StreamId);
        }
    }

    /// <summary>Sets or clears a state.</summary>
    public async Task SetPresenceAsync(Caller caller, SetPresenceRequest request, CancellationToken cancellationToken)
    {
        StreamIds.Check(request.StreamId);
        CheckSize(request.State, _options.MaxStateBytes, "state");
        CheckLife(request.TimeToLive);
        if (!await _nodes.RunAsync(NodeCallKind.SetPresence, caller, request, cancellationToken))
        {
            throw RealtimeErrors.StreamNotFound(request.StreamId);
        }
    }

    private static void CheckSize(ByteString body, int limit, string field)
    {
        if (body.Length > limit)
        {
            throw VibeError.InvalidField(field, $"has at most {limit} bytes in binary form", "channel.size");
        }

        RequestValues.CheckObject(body, field);
    }

    private void CheckLife(Duration? life)
    {
        // Counted by hand: what is far out of a duration's range has no other form.
        if (life is not null && (life.Seconds < 0 || life.Seconds > (long)_options.MaxLife.TotalSeconds || life.Nanos is < 0 or > 999_999_999
            || life.ToTimeSpan() is var time && (time <= TimeSpan.Zero || time > _options.MaxLife)))
        {
            throw VibeError.InvalidField("timeToLive", $"is more than 0 and at most {_options.MaxLife.TotalSeconds} seconds", "channel.life");
        }
    }
}
