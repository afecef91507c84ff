using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Server.Realtime.Hub;

namespace Vibe.Server.Realtime.Feed;

/// <summary>
/// Reads the database's log for this node and hands it to the hub; keeps heartbeats going, whose return tells where the feed
/// stands. When the feed breaks it is opened again, and streams catch up.
/// </summary>
internal sealed class FeedReader(
    ReplicationFeed feed, FeedDatabase database, ChangeHub hub, RealtimeOptions options, TimeProvider time, ILogger<FeedReader> log) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = FirstPause;
        while (!stoppingToken.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            try
            {
                await ReadAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is DatabaseException or InvalidOperationException)
            {
                RealtimeLog.FeedLost(log, exception);
            }
            finally
            {
                hub.Close();
            }

            pause = time.GetElapsedTime(started) > LongestPause ? FirstPause : pause < LongestPause ? pause * 2 : LongestPause;
            await Task.Delay(pause, time, stoppingToken);
        }
    }

    private async Task ReadAsync(CancellationToken stoppingToken)
    {
        var renumbered = await database.RenumberAsync(stoppingToken);
        if (renumbered > 0)
        {
            RealtimeLog.Renumbered(log, renumbered);
        }

        var epoch = await database.ReadEpochAsync(stoppingToken);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var beats = Task.CompletedTask;
        try
        {
            Snapshot? start = null;
            var isOpen = false;
            await foreach (var item in feed.ReadAsync(ended.Token))
            {
                switch (item)
                {
                    case null:
                        // What ran when the slot was made may have committed before it: wait until none of that is in progress.
                        start = await database.ReadSnapshotAsync(ended.Token);
                        beats = BeatAsync(ended);
                        break;
                    case FeedTransaction transaction when ChangesOf(transaction) is { } changes:
                        hub.Publish(changes);
                        break;
                    case FeedMessage { Prefix: FeedDatabase.HeartbeatPrefix } beat:
                        var snapshot = Snapshot.Parse(System.Text.Encoding.ASCII.GetString(beat.Content.Span));
                        if (isOpen)
                        {
                            hub.Confirm(snapshot);
                        }
                        else if (snapshot.Min >= start!.Max)
                        {
                            isOpen = true;
                            hub.Open(epoch, snapshot);
                            RealtimeLog.FeedReady(log);
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
                while (waited < options.Heartbeat && !hub.TakeHasChanged());
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
