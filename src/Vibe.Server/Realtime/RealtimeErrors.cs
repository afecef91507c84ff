using System.Globalization;
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
}
