using System.Runtime.CompilerServices;
using Vibe.Postgres.Replication;

namespace Vibe.Server.Realtime.Feed;

/// <summary>
/// Asks the tables what was committed since the last look: for a database whose log this login may not read. It knows no version
/// before, brings changes some milliseconds later, and tells of several changes of one document as one.
/// </summary>
internal sealed class PollingSource(FeedDatabase database, RealtimeOptions options, TimeProvider time) : IFeedSource
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public string Name => "polling";

    /// <inheritdoc/>
    public async IAsyncEnumerable<FeedItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // What was visible at the last look means something only as long as the server lives: a crash may hand out numbers
        // again that it saw. This session does not outlive the server either.
        await using var session = await database.OpenSessionAsync(cancellationToken);
        var seen = await database.BeatAsync(cancellationToken);
        yield return new FeedItem(null, seen);

        var beaten = time.GetTimestamp();
        var hasChanged = false;
        var pause = ShortestPause;
        while (true)
        {
            await Task.Delay(pause, time, cancellationToken);
            var started = time.GetTimestamp();
            Snapshot? beat = null;
            if (time.GetElapsedTime(beaten) >= (hasChanged ? options.HeartbeatAfterChange : options.Heartbeat))
            {
                beat = await database.BeatAsync(cancellationToken);
                beaten = started;
                hasChanged = false;
            }

            // Taken after the heartbeat, so it sees all that the heartbeat does.
            var (now, transactions) = await FeedDatabase.PollAsync(session, seen, cancellationToken);
            seen = now;
            foreach (var transaction in transactions)
            {
                yield return new FeedItem(transaction, null);
            }

            if (beat is not null)
            {
                yield return new FeedItem(null, beat);
            }

            // A long transaction keeps all that began after it in each look: half of the time at most is spent on looking.
            hasChanged |= transactions.Count > 0;
            pause = transactions.Count > 0 ? ShortestPause : Min(pause * 2, LongestPause);
            pause = Max(pause, time.GetElapsedTime(started));
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
