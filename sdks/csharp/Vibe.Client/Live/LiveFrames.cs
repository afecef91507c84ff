using System.Runtime.CompilerServices;
using Grpc.Core;
using Vibe.Realtime.V1;

namespace Vibe.Client.Live;

/// <summary>The changes of one live query, whatever happens to its streams.</summary>
internal static class LiveFrames
{
    /// <summary>What changed, by one frame after the other; also nothing, so that the caller sees the cursor move.</summary>
    public static async IAsyncEnumerable<IReadOnlyList<FoldedChange>> ReadAsync(
        VibeClient client, LiveFold fold, Func<VibeException, bool> isHandled, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var follower = new StreamFollower<SubscribeResponse>(client.Connection, client.Invoker, EndOf);
        var frames = follower.ReadAsync(options => client.Realtime.Subscribe(fold.Open(), options), isHandled, cancellationToken);
        await foreach (var frame in frames.ConfigureAwait(false))
        {
            yield return fold.Take(frame);
        }
    }

    private static StreamEnd EndOf(SubscribeResponse frame) => frame.FrameCase switch
    {
        SubscribeResponse.FrameOneofCase.AccessLost => new(frame.AccessLost.Reason, null),
        SubscribeResponse.FrameOneofCase.Reconnect => new(null, frame.Reconnect.Delay?.ToTimeSpan() ?? TimeSpan.Zero),

        // The only target of the stream: what fails it, fails the query.
        SubscribeResponse.FrameOneofCase.TargetError => throw VibeException.Of(
            (StatusCode)frame.TargetError.Code, frame.TargetError.Reason, frame.TargetError.Message, frame.TargetError.Metadata),
        _ => default,
    };
}
