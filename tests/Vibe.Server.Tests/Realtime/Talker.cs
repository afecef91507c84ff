using System.Text;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Realtime.V1;
using Vibe.Rpc.Json;
using Vibe.Server.Kernel;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>A client of one channel: keeps what the frames say, and nothing else. Wait for a state instead of for a time.</summary>
internal sealed class Talker : IServerStreamWriter<JoinChannelResponse>, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _leave = new();
    private readonly Node _node;
    private readonly Caller _caller;
    private readonly string _channel;
    private readonly string _streamId = Guid.NewGuid().ToString();
    private readonly List<JoinChannelResponse> _frames = [];
    private readonly Dictionary<string, Presence> _present = new(StringComparer.Ordinal);
    private readonly Task _call;
    private bool _hasLeft;
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Talker(Node node, Caller caller, string channel)
    {
        (_node, _caller, _channel) = (node, caller, channel);
        var request = new JoinChannelRequest { Channel = channel, StreamId = _streamId };
        _call = node.ChannelCalls.JoinAsync(caller, "", request, this, CancellationToken.None, _leave.Token);
    }

    public WriteOptions? WriteOptions { get; set; }

    public string MemberId { get; private set; } = "";

    /// <summary>While set, the client does not read.</summary>
    public TaskCompletionSource? Blocked { get; set; }

    public IReadOnlyList<JoinChannelResponse> Frames
    {
        get
        {
            lock (_gate)
            {
                return [.. _frames];
            }
        }
    }

    /// <summary>Payloads of all messages so far.</summary>
    public IReadOnlyList<string> Messages => [.. Frames.Where(static frame => frame.Message is not null).Select(static frame => TextOf(frame.Message.Payload))];

    /// <summary>Who is present: the state of each member, by its id.</summary>
    public IReadOnlyDictionary<string, string> Present
    {
        get
        {
            lock (_gate)
            {
                return _present.ToDictionary(static entry => entry.Key, static entry => TextOf(entry.Value.State), StringComparer.Ordinal);
            }
        }
    }

    public Task JoinedAsync() => UntilAsync(() => MemberId.Length > 0, static () => "not joined");

    /// <summary>Sends through the node that carries the stream, or another one.</summary>
    public Task PublishAsync(string json, string recipient = "", Node? through = null) => (through ?? _node).ChannelCalls.PublishAsync(
        _caller, new() { Channel = _channel, StreamId = _streamId, Payload = Someone.Body(json), Recipient = recipient }, CancellationToken.None);

    public Task SetAsync(string? json, TimeSpan? life = null, Node? through = null)
    {
        var request = new SetPresenceRequest { Channel = _channel, StreamId = _streamId, TimeToLive = life is { } time ? Duration.FromTimeSpan(time) : null };
        if (json is not null)
        {
            request.State = Someone.Body(json);
        }

        return (through ?? _node).ChannelCalls.SetPresenceAsync(_caller, request, CancellationToken.None);
    }

    /// <summary>Waits until exactly these are present.</summary>
    public Task SeesAsync(params (Talker Who, string State)[] expected) => UntilAsync(
        () => Present is var present && present.Count == expected.Length && expected.All(one => present.GetValueOrDefault(one.Who.MemberId) == one.State),
        () => $"present are {string.Join(", ", Present.Values)}");

    /// <summary>Waits until these messages came, in this order.</summary>
    public Task HearsAsync(params string[] expected) =>
        UntilAsync(() => Messages.SequenceEqual(expected), () => $"heard {string.Join(", ", Messages)}");

    /// <summary>Waits for a frame.</summary>
    public async Task<JoinChannelResponse> FrameAsync(Func<JoinChannelResponse, bool> wanted)
    {
        await UntilAsync(() => Frames.Any(wanted), () => $"no such frame among {Frames.Count}");
        return Frames.First(wanted);
    }

    /// <summary>Waits for the end of the stream.</summary>
    public Task EndAsync() => _call.WaitAsync(Patience);

    public async Task WriteAsync(JoinChannelResponse message)
    {
        if (Blocked is { } blocked)
        {
            await blocked.Task.WaitAsync(_leave.Token);
        }

        lock (_gate)
        {
            _frames.Add(message);
            Fold(message);
            _news.TrySetResult();
        }
    }

    public Task WriteAsync(JoinChannelResponse message, CancellationToken cancellationToken) => WriteAsync(message);

    public async Task UntilAsync(Func<bool> condition, Func<string> problem)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (true)
        {
            Task news;
            lock (_gate)
            {
                _news = _news.Task.IsCompleted ? new(TaskCreationOptions.RunContinuationsAsynchronously) : _news;
                news = _news.Task;
            }

            // Asked before: what it wrote last counts.
            var hasEnded = _call.IsCompleted;
            if (condition())
            {
                return;
            }

            if (hasEnded)
            {
                await _call;
                Assert.Fail($"The stream has ended; {problem()}");
            }

            try
            {
                await Task.WhenAny(news, _call).WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail(problem());
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_hasLeft)
        {
            return;
        }

        _hasLeft = true;
        await _leave.CancelAsync();
        try
        {
            await _call.WaitAsync(Patience);
        }
        catch (Exception exception) when (exception is OperationCanceledException or RpcException)
        {
            // The client left, or was never let in.
        }

        _leave.Dispose();
    }

    private static string TextOf(Google.Protobuf.ByteString body)
    {
        var json = new System.Buffers.ArrayBufferWriter<byte>();
        StructJson.ToJson(body.Span, json);
        return Encoding.UTF8.GetString(json.WrittenSpan);
    }

    private void Fold(JoinChannelResponse frame)
    {
        if (frame.Joined is { } joined)
        {
            MemberId = joined.MemberId;
        }

        foreach (var presence in frame.Joined?.Present ?? [])
        {
            _present.Add(presence.MemberId, presence);
        }

        // Who joins was not there, who is updated or leaves was: Add fails otherwise, and so do the two checks.
        foreach (var presence in frame.Presence?.Joined ?? [])
        {
            _present.Add(presence.MemberId, presence);
        }

        foreach (var presence in frame.Presence?.Updated ?? [])
        {
            Assert.True(_present.ContainsKey(presence.MemberId));
            _present[presence.MemberId] = presence;
        }

        foreach (var member in frame.Presence?.Left ?? [])
        {
            Assert.True(_present.Remove(member));
        }
    }
}
