using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime;

/// <summary>How live queries fail.</summary>
internal static class RealtimeErrors
{
    /// <summary>The cursor is none of this server's, or another caller's.</summary>
    public static RpcException CursorInvalid(string earliest) => VibeError.Create(
        StatusCode.InvalidArgument, ErrorReason.CursorInvalid, "The cursor is broken, or belongs to another caller. Start over without it.",
        ("earliestCursor", earliest));

    /// <summary>What happened since is not known any more.</summary>
    public static RpcException CursorExpired(string earliest) => VibeError.Create(
        StatusCode.OutOfRange, ErrorReason.CursorExpired,
        "What happened since the cursor is no longer known, or your rights have changed. Read everything again.",
        ("earliestCursor", earliest));

    /// <summary>The feed is not there, and has not been for a while.</summary>
    public static RpcException FeedUnavailable() => VibeError.Create(
        StatusCode.Unavailable, ErrorReason.DatabaseUnavailable, "The change feed cannot be read now; try again.");

    /// <summary>There is no such stream of this caller.</summary>
    public static RpcException StreamNotFound(string streamId) => VibeError.Create(
        StatusCode.NotFound, ErrorReason.StreamNotFound, "You have no such stream open.", ("streamId", streamId));

    /// <summary>A stream has only so many targets.</summary>
    public static RpcException TooManyTargets(string field, int limit) => VibeError.InvalidField(
        field, $"a stream has at most {limit.ToString(CultureInfo.InvariantCulture)} targets", "subscribe.targets");

    /// <summary>There is no such channel, or the caller may not join it: the same answer, byte for byte.</summary>
    public static RpcException ChannelNotFound(string channel) => VibeError.Create(
        StatusCode.NotFound, ErrorReason.ChannelNotFound, "There is no such channel, or you may not join it.", ("channel", channel));

    /// <summary>The caller has joined too many channels.</summary>
    public static RpcException TooManyChannels(int limit) => Limit(ErrorReason.ChannelLimitReached, "caller", "channels a caller has joined", limit);

    /// <summary>The caller has as many streams, or targets, as one may have.</summary>
    public static RpcException TooManyStreams(string what, int limit) => Limit(ErrorReason.StreamLimitReached, "caller", what, limit);

    /// <summary>The channel is full.</summary>
    public static RpcException TooManyMembers(int limit) => Limit(ErrorReason.ChannelLimitReached, "channel", "members of a channel", limit);

    /// <summary>A member, or a channel, sends too much.</summary>
    public static RpcException TooManyMessages(TimeSpan wait) => VibeError.Create(
        StatusCode.ResourceExhausted, ErrorReason.RateLimited, "Too many messages on this channel.", [],
        new RetryInfo { RetryDelay = Duration.FromTimeSpan(wait) });

    /// <summary>Another node has the stream, or may have it, and does not answer.</summary>
    public static RpcException ServerUnreachable() => VibeError.Create(
        StatusCode.Unavailable, ErrorReason.ServerUnreachable, "The server that carries the stream does not answer; try again.");

    private static RpcException Limit(ErrorReason reason, string subject, string what, int limit)
    {
        var text = limit.ToString(CultureInfo.InvariantCulture);
        return VibeError.Create(
            StatusCode.ResourceExhausted, reason, $"There are {text} {what} on this server already.", [("limit", text)],
            new QuotaFailure { Violations = { new QuotaFailure.Types.Violation { Subject = subject, Description = $"{what}: {text}" } } });
    }
}
