using System.Runtime.CompilerServices;
using System.Text;
using Vibe.Postgres.Replication;

namespace Vibe.Server.Realtime.Feed;

/// <summary>
/// Reads the database's log. Heartbeats are written into it, whose return tells where the feed stands.
/// </summary>
internal sealed class LogSource(ReplicationFeed feed, FeedDatabase database, RealtimeOptions options, TimeProvider time) : IFeedSource
{
    private bool _hasChanged;

    /// <inheritdoc/>
    public string Name => "replication";

    /// <inheritdoc/>
    public async IAsyncEnumerable<FeedItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var beats = Task.CompletedTask;
        try
        {
            ulong start = 0;
            var isOpen = false;
            await foreach (var item in feed.ReadAsync(ended.Token))
            {
                switch (item)
                {
                    case null:
                        // What ran when the slot was made may have committed before it: wait until none of that is in progress. The end
                        // of a snapshot would not do: what is in progress may lie beyond it.
                        start = await database.TakeNumberAsync(ended.Token);
                        beats = BeatAsync(ended);
                        break;
                    case FeedTransaction transaction when ChangesOf(transaction) is { } changes:
                        Volatile.Write(ref _hasChanged, true);
                        yield return new FeedItem(changes, null);
                        break;
                    case FeedMessage { Prefix: FeedDatabase.HeartbeatPrefix } beat:
                        var snapshot = Snapshot.Parse(Encoding.ASCII.GetString(beat.Content.Span));
                        isOpen |= snapshot.Min >= start;
                        if (isOpen)
                        {
                            yield return new FeedItem(null, snapshot);
                        }

                        break;
                }
            }
        }
        finally
        {
            await ended.CancelAsync();
            await beats;
        }
    }

    // Every second, and soon after a change. A heartbeat that cannot be written ends the reading: the feed is opened anew.
    private async Task BeatAsync(CancellationTokenSource ended)
    {
        try
        {
            while (!ended.IsCancellationRequested)
            {
                await database.BeatAsync(ended.Token);
                var waited = TimeSpan.Zero;
                do
                {
                    await Task.Delay(options.HeartbeatAfterChange, time, ended.Token);
                    waited += options.HeartbeatAfterChange;
                }
                while (waited < options.Heartbeat && !Interlocked.Exchange(ref _hasChanged, false));
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The reading has ended.
        }
        finally
        {
            await ended.CancelAsync();
        }
    }

    private static CommittedChanges? ChangesOf(FeedTransaction transaction)
    {
        List<FeedChange> changes = [];
        foreach (var change in transaction.Changes)
        {
            // A row that vanishes was a tombstone whose time is over.
            if (change is { Table: "documents", New: { } row })
            {
                changes.Add(new FeedChange(change.Old is { } old ? FeedDocument.Read(old) : null, FeedDocument.Read(row)));
            }
        }

        return changes.Count == 0 ? null : new CommittedChanges(changes[0].New.Transaction, changes);
    }
}
