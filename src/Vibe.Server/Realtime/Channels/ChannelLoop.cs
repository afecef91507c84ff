using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Realtime.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Channels;

/// <summary>The loop of one joined stream: the only one that writes to its client.</summary>
internal sealed class ChannelLoop(
    ChannelHub hub, ChannelMember member, IServerStreamWriter<JoinChannelResponse> output, ChannelOptions options, TimeProvider time)
{
    // Below what gRPC clients take unless told otherwise.
    private const int MaxFrameBytes = 1024 * 1024;

    // A crowd that reconnects at once would be served in turns anyway.
    private static readonly TimeSpan ReconnectSpread = TimeSpan.FromSeconds(3);

    /// <summary>Serves a member that has joined until it leaves, its rights end, or the server stops.</summary>
    public async Task RunAsync(CancellationToken drain, CancellationToken cancellationToken)
    {
        await using var drained = drain.UnsafeRegister(static self => ((ChannelMember)self!).Wake(), member);
        await using var left = cancellationToken.UnsafeRegister(static self => ((ChannelMember)self!).Wake(), member);
        await OpenAsync(cancellationToken);
        var quietSince = time.GetTimestamp();
        while (true)
        {
            var work = member.Take();
            if (await IsOverAsync(work.Lost, drain, cancellationToken))
            {
                return;
            }

            var hasWritten = await SendAsync(work, cancellationToken);
            if (!hasWritten && time.GetElapsedTime(quietSince) >= options.Ping)
            {
                await output.WriteAsync(new JoinChannelResponse(), cancellationToken);
                hasWritten = true;
            }

            quietSince = hasWritten ? time.GetTimestamp() : quietSince;
            await WaitAsync(quietSince);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        var joined = new ChannelJoined { MemberId = member.Id };
        var bytes = 0;
        var rest = new Queue<PresenceNews>();
        foreach (var presence in hub.Open(member))
        {
            bytes += presence.CalculateSize();
            if (bytes <= MaxFrameBytes)
            {
                joined.Present.Add(presence);
            }
            else
            {
                rest.Enqueue(new PresenceNews(PresenceChangeKind.Joined, presence));
            }
        }

        await output.WriteAsync(new JoinChannelResponse { Joined = joined }, cancellationToken);
        await SendAsync([.. rest], cancellationToken);
    }

    private async Task<bool> IsOverAsync(string? lost, CancellationToken drain, CancellationToken cancellationToken)
    {
        if (drain.IsCancellationRequested)
        {
            var delay = Duration.FromTimeSpan(ReconnectSpread * Random.Shared.NextDouble());
            await output.WriteAsync(new JoinChannelResponse { Reconnect = new Reconnect { Delay = delay } }, CancellationToken.None);
            return true;
        }

        var reason = member.Caller.ExpireTime <= time.GetUtcNow() ? VibeError.NameOf(ErrorReason.TokenExpired) : lost;
        if (reason is null)
        {
            return false;
        }

        await output.WriteAsync(new JoinChannelResponse { AccessLost = new AccessLost { Reason = reason } }, cancellationToken);
        return true;
    }

    private async Task<bool> SendAsync(MemberWork work, CancellationToken cancellationToken)
    {
        await SendAsync(work.Presence, cancellationToken);
        if (work.Dropped > 0)
        {
            await output.WriteAsync(new JoinChannelResponse { Dropped = new MessagesDropped { Count = work.Dropped } }, cancellationToken);
        }

        foreach (var message in work.Messages)
        {
            await output.WriteAsync(message, cancellationToken);
        }

        return work.Presence.Count > 0 || work.Dropped > 0 || work.Messages.Count > 0;
    }

    private async Task SendAsync(IReadOnlyList<PresenceNews> news, CancellationToken cancellationToken)
    {
        var (change, bytes) = (new PresenceChange(), 0);
        foreach (var one in news)
        {
            if (bytes > MaxFrameBytes)
            {
                await output.WriteAsync(new JoinChannelResponse { Presence = change }, cancellationToken);
                (change, bytes) = (new PresenceChange(), 0);
            }

            bytes += one.Presence.CalculateSize();
            one.AddTo(change);
        }

        if (bytes > 0)
        {
            await output.WriteAsync(new JoinChannelResponse { Presence = change }, cancellationToken);
        }
    }

    private ValueTask WaitAsync(long quietSince)
    {
        var wait = options.Ping - time.GetElapsedTime(quietSince);
        if (member.Caller.ExpireTime - time.GetUtcNow() is { } left && left < wait)
        {
            wait = left;
        }

        return member.WaitAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
    }
}
