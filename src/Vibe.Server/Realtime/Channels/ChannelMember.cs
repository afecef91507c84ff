using Vibe.Realtime.V1;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime.Subscriptions;

namespace Vibe.Server.Realtime.Channels;

/// <summary>
/// One joined stream: its place in the channel, and what waits to be sent. What the hub calls is short and never blocks. A client
/// that is too slow loses the oldest messages; of presence it gets the sum of what changed, so that stays right.
/// </summary>
internal sealed class ChannelMember(Caller caller, ChannelName channel, string streamId, string network, ChannelOptions options, TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StreamSignal _signal = new(time);
    private readonly Dictionary<string, PresenceNews> _presence = new(StringComparer.Ordinal);
    private readonly Queue<JoinChannelResponse> _messages = new();
    private long _queuedBytes;
    private int _dropped;
    private string? _lost;

    /// <summary>What others call it.</summary>
    public string Id { get; } = Guid.NewGuid().ToString();

    /// <summary>Whose it is.</summary>
    public Caller Caller { get; } = caller;

    /// <summary>Where.</summary>
    public ChannelName Channel { get; } = channel;

    /// <summary>The client's secret id for the stream; empty when it only listens.</summary>
    public string StreamId { get; } = streamId;

    /// <summary>Where a signed-out visitor comes from, for limits.</summary>
    public string Network { get; } = network;

    /// <summary>What it may still send.</summary>
    public Allowance Allowance { get; } = new(options.MemberRate, time);

    /// <summary>When its state expires; null while it has none. The hub's.</summary>
    public DateTimeOffset? StateExpires { get; set; }

    /// <summary>Takes a message.</summary>
    public void Offer(JoinChannelResponse message)
    {
        lock (_gate)
        {
            _messages.Enqueue(message);
            _queuedBytes += BytesOf(message);
            while (_queuedBytes > options.MaxQueuedBytes && _messages.TryDequeue(out var oldest))
            {
                _queuedBytes -= BytesOf(oldest);
                _dropped++;
            }
        }

        Wake();
    }

    /// <summary>Takes a change of who is present.</summary>
    public void Offer(PresenceNews news)
    {
        lock (_gate)
        {
            var id = news.Presence.MemberId;
            if (!_presence.TryGetValue(id, out var earlier))
            {
                _presence.Add(id, news);
            }
            else if (news.After(earlier) is { } sum)
            {
                _presence[id] = sum;
            }
            else
            {
                _presence.Remove(id);
            }
        }

        Wake();
    }

    /// <summary>The caller may not be here any more.</summary>
    /// <param name="reason">Why, as the wire says it.</param>
    public void Lose(string reason)
    {
        lock (_gate)
        {
            _lost ??= reason;
        }

        Wake();
    }

    /// <summary>Forgets what waits of presence: the client is told who is present now.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _presence.Clear();
        }
    }

    /// <summary>Takes what there is to send, and leaves nothing.</summary>
    public MemberWork Take()
    {
        lock (_gate)
        {
            var work = new MemberWork(_lost, [.. _presence.Values], _dropped, [.. _messages]);
            _presence.Clear();
            _messages.Clear();
            (_queuedBytes, _dropped) = (0, 0);
            return work;
        }
    }

    /// <summary>Has the loop look what there is to do.</summary>
    public void Wake() => _signal.Set();

    /// <summary>Waits until there is something to do, or for a time.</summary>
    public ValueTask WaitAsync(TimeSpan wait) => _signal.WaitAsync(wait);

    /// <inheritdoc/>
    public void Dispose() => _signal.Dispose();

    private static int BytesOf(JoinChannelResponse message) => 128 + message.Message.Payload.Length;
}

/// <summary>What a stream has to send.</summary>
/// <param name="Lost">Why it ends; null when it goes on.</param>
/// <param name="Presence">Who is present.</param>
/// <param name="Dropped">How many messages were dropped before those here.</param>
/// <param name="Messages">Messages, in order.</param>
internal sealed record MemberWork(
    string? Lost, IReadOnlyList<PresenceNews> Presence, int Dropped, IReadOnlyList<JoinChannelResponse> Messages);
