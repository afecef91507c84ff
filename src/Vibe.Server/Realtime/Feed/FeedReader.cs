using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Server.Realtime.Hub;

namespace Vibe.Server.Realtime.Feed;

/// <summary>
/// Hands what was committed to the hub of this node: from the log, or from the tables where the log cannot be read. When the
/// feed breaks it is opened again, and streams catch up.
/// </summary>
internal sealed class FeedReader(
    LogSource log, PollingSource polling, FeedDatabase database, ChangeHub hub, RealtimeOptions options, TimeProvider time,
    ILogger<FeedReader> logger) : BackgroundService
{
    private const int AttemptsAtSlot = 4;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private IFeedSource _source = options.Feed == FeedKind.Polling ? polling : log;
    private string? _problem;
    private int _attempts;

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
            catch (DatabaseException exception)
            {
                if (TakesTables(exception))
                {
                    continue;
                }
            }
            finally
            {
                RealtimeMeters.FeedLosses.Add(hub.Confirmed is not null && !stoppingToken.IsCancellationRequested ? 1 : 0);
                hub.Close();
            }

            pause = time.GetElapsedTime(started) > LongestPause ? FirstPause : pause < LongestPause ? pause * 2 : LongestPause;
            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(CancellationToken stoppingToken)
    {
        var renumbered = await database.RenumberAsync(stoppingToken);
        if (renumbered > 0)
        {
            RealtimeLog.Renumbered(logger, renumbered);
        }

        var epoch = await database.ReadEpochAsync(stoppingToken);
        var isOpen = false;
        await foreach (var (changes, position) in _source.ReadAsync(stoppingToken))
        {
            if (changes is not null)
            {
                hub.Publish(changes);
                RealtimeMeters.FeedTransactions.Add(1);
                continue;
            }

            database.Pace.CameBack(position!);
            if (isOpen)
            {
                hub.Confirm(position!);
            }
            else
            {
                isOpen = true;
                _problem = null;
                _attempts = 0;
                hub.Open(epoch, position!);
                RealtimeLog.FeedReady(logger, _source.Name);
            }
        }
    }

    // Goes over to the tables when the log cannot be read. What stays as it was is told once.
    private bool TakesTables(DatabaseException exception)
    {
        var obstacle = _source == log ? ReplicationFeed.ObstacleIn(exception) : null;
        if (obstacle is not null && options.Feed == FeedKind.Auto)
        {
            if (obstacle.MayPass && ++_attempts < AttemptsAtSlot)
            {
                return false;
            }

            RealtimeLog.FeedPolls(logger, obstacle.Reason);
            _source = polling;
            return true;
        }

        var problem = obstacle?.Reason ?? exception.Message;
        if (problem == _problem)
        {
            return false;
        }

        _problem = problem;
        if (obstacle is not null)
        {
            RealtimeLog.FeedImpossible(logger, obstacle.Reason);
        }
        else
        {
            RealtimeLog.FeedLost(logger, exception);
        }

        return false;
    }
}
