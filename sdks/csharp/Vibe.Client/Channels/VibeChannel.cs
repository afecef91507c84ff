using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Client.Documents;
using Vibe.Client.Live;
using Vibe.Realtime.V1;

namespace Vibe.Client;

/// <summary>
/// A place to meet for what nobody needs to keep: presence, typing, the signalling of calls. Messages come at most once; presence is complete. After a
/// loss of the connection it comes back by itself, as another member. Thread-safe. Dispose it to leave.
/// </summary>
/// <typeparam name="TState">What members say of themselves.</typeparam>
/// <typeparam name="TMessage">What they send.</typeparam>
public sealed class VibeChannel<TState, TMessage> : IAsyncDisposable
    where TState : class
    where TMessage : class
{
    private const int MostWaiting = 1000;
    private static readonly TimeSpan PresenceLife = TimeSpan.FromSeconds(30);

    private readonly VibeClient _client;
    private readonly CancellationTokenSource _left = new();
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<ChannelEvent<TState, TMessage>> _events = System.Threading.Channels.Channel.CreateBounded<ChannelEvent<TState, TMessage>>(
        new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.Wait, SingleWriter = true });

    private readonly Task _running;
    private volatile string _streamId = "";
    private volatile string _memberId = "";
    private volatile TState? _state;
    private ImmutableSortedDictionary<string, ChannelMember<TState>> _members = ImmutableSortedDictionary.Create<string, ChannelMember<TState>>(StringComparer.Ordinal);
    private int _dropped;
    private int _isLeft;

    private VibeChannel(VibeClient client, string name)
    {
        _client = client;
        Name = name;
        _running = Task.WhenAll(RunAsync(), HeartbeatAsync());
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>This member's id; empty while it is not joined.</summary>
    public string MemberId => _memberId;

    /// <summary>Who is present.</summary>
    public IReadOnlyList<ChannelMember<TState>> Members => [.. Volatile.Read(ref _members).Values];

    internal static async Task<VibeChannel<TState, TMessage>> JoinAsync(VibeClient client, string name, CancellationToken cancellationToken)
    {
        var channel = new VibeChannel<TState, TMessage>(client, name);
        try
        {
            await channel._joined.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return channel;
        }
        catch
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// What happens, from joining on, until the caller leaves. Several readers share it. Who does not read loses messages, beyond
    /// 1,000 that wait.
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="VibeException">The right to be here, or the session, is gone: CHANNEL_NOT_FOUND, TOKEN_REVOKED.</exception>
    public async IAsyncEnumerable<ChannelEvent<TState, TMessage>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var next in _events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return next;
        }
    }

    /// <summary>Sends a message to all others.</summary>
    /// <param name="message">At most 16 KiB.</param>
    /// <param name="recipient">The id of the only member to send it to; null for all.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="VibeException">STREAM_NOT_FOUND while it is not joined; RATE_LIMITED.</exception>
    public async Task PublishAsync(TMessage message, string? recipient = null, CancellationToken cancellationToken = default) =>
        await _client.Realtime.PublishMessageAsync(
            new() { Channel = Name, StreamId = _streamId, Payload = JsonBody.ToStruct(message, _client.Json), Recipient = recipient ?? "" },
            new CallOptions(cancellationToken: cancellationToken)).ConfigureAwait(false);

    /// <summary>Says what others see of this member. It is kept up until it is another, also after a loss of the connection.</summary>
    /// <param name="state">At most 4 KiB; null for not present.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="VibeException">STREAM_NOT_FOUND while it is not joined, and it is said when it is; RATE_LIMITED.</exception>
    public async Task SetPresenceAsync(TState? state, CancellationToken cancellationToken = default)
    {
        _state = state;
        await SendPresenceAsync(state, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Leaves.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isLeft, 1) == 0)
        {
            await _left.CancelAsync().ConfigureAwait(false);
            await _running.ConfigureAwait(false);
            _left.Dispose();
        }
    }

    private async Task SendPresenceAsync(TState? state, CancellationToken cancellationToken) => await _client.Realtime.SetPresenceAsync(
        new()
        {
            Channel = Name, StreamId = _streamId, TimeToLive = Duration.FromTimeSpan(PresenceLife),
            State = state is null ? null : JsonBody.ToStruct(state, _client.Json),
        },
        new CallOptions(cancellationToken: cancellationToken)).ConfigureAwait(false);

    // Ends when the caller leaves, or has no right to be here any more.
    private async Task RunAsync()
    {
        try
        {
            var follower = new StreamFollower<JoinChannelResponse>(_client.Connection, _client.Invoker, EndOf);
            await foreach (var frame in follower.ReadAsync(Open, isHandled: null, _left.Token).ConfigureAwait(false))
            {
                Take(frame);
            }
        }
        catch (OperationCanceledException)
        {
            _joined.TrySetCanceled();
            _events.Writer.TryComplete();
        }
        catch (Exception exception)
        {
            _memberId = "";
            _joined.TrySetException(exception);
            _events.Writer.TryComplete(exception);
        }
    }

    private AsyncServerStreamingCall<JoinChannelResponse> Open(CallOptions options)
    {
        _memberId = "";
        _streamId = Guid.NewGuid().ToString();
        return _client.Realtime.JoinChannel(new() { Channel = Name, StreamId = _streamId }, options);
    }

    private void Take(JoinChannelResponse frame)
    {
        switch (frame.FrameCase)
        {
            case JoinChannelResponse.FrameOneofCase.Joined:
                _memberId = frame.Joined.MemberId;
                Tell(_members.Clear(), frame.Joined.Present, []);
                _joined.TrySetResult();
                if (_state is not null)
                {
                    _ = RepeatPresenceAsync();
                }

                break;
            case JoinChannelResponse.FrameOneofCase.Presence:
                Tell(_members, frame.Presence.Joined.Concat(frame.Presence.Updated), frame.Presence.Left);
                break;
            case JoinChannelResponse.FrameOneofCase.Message when frame.Message is { } message:
                if (Read<TMessage>(message.Payload) is { } payload)
                {
                    Tell(new ChannelMessage<TState, TMessage>(message.From, message.User, message.Direct, payload));
                }

                break;
            case JoinChannelResponse.FrameOneofCase.Dropped:
                _dropped += frame.Dropped.Count;
                break;
        }
    }

    private void Tell(
        ImmutableSortedDictionary<string, ChannelMember<TState>> before, IEnumerable<Presence> present, IEnumerable<string> left)
    {
        var members = before.ToBuilder();
        foreach (var member in present)
        {
            if (Read<TState>(member.State) is { } state)
            {
                members[member.MemberId] = new(member.MemberId, member.User, state);
            }
        }

        members.RemoveRange(left);
        Volatile.Write(ref _members, members.ToImmutable());
        Tell(new ChannelPresence<TState, TMessage>(Members));
    }

    private void Tell(ChannelEvent<TState, TMessage> next)
    {
        if (_dropped > 0 && _events.Writer.TryWrite(new ChannelDropped<TState, TMessage>(_dropped)))
        {
            _dropped = 0;
        }

        // Presence that is not told is still in Members.
        if (!_events.Writer.TryWrite(next) && next is ChannelMessage<TState, TMessage>)
        {
            _dropped++;
        }
    }

    // Somebody else may send what this program does not read; that must not end the channel.
    private T? Read<T>(Struct? body)
        where T : class
    {
        try
        {
            return JsonBody.FromStruct<T>(body ?? new Struct(), _client.Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task HeartbeatAsync()
    {
        using var timer = new PeriodicTimer(PresenceLife / 2, _client.Connection.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_left.Token).ConfigureAwait(false))
            {
                if (_state is not null && _memberId.Length > 0)
                {
                    await RepeatPresenceAsync().ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The caller has left.
        }
    }

    private async Task RepeatPresenceAsync()
    {
        try
        {
            await SendPresenceAsync(_state, _left.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is VibeException or OperationCanceledException)
        {
            // The stream has ended, and the next one says it again.
            VibeLog.PresenceFailed(_client.Connection.Log, Name, (exception as VibeException)?.Reason ?? "cancelled");
        }
    }

    private static StreamEnd EndOf(JoinChannelResponse frame) => frame.FrameCase switch
    {
        JoinChannelResponse.FrameOneofCase.AccessLost => new(frame.AccessLost.Reason, null),
        JoinChannelResponse.FrameOneofCase.Reconnect => new(null, frame.Reconnect.Delay?.ToTimeSpan() ?? TimeSpan.Zero),
        _ => default,
    };
}
