using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Hosting;

/// <summary>Lets the features throw away what has had its time: on whichever node comes first, the others skip a turn.</summary>
internal sealed partial class Sweeper(Database database, IEnumerable<ISweep> sweeps, TimeProvider time, ILogger<Sweeper> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    /// <summary>One turn.</summary>
    /// <returns>Whether it was this node's.</returns>
    public async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        await using var turn = await database.Owner.TryAcquireLockAsync("vibe/sweep", cancellationToken);
        if (turn is null)
        {
            return false;
        }

        foreach (var sweep in sweeps)
        {
            try
            {
                await sweep.SweepAsync(cancellationToken);
            }
            catch (DatabaseException exception)
            {
                Failed(log, sweep.Name, exception);
            }
        }

        return true;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await TrySweepAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    // The database may be restarting: the next turn comes.
    private async Task TrySweepAsync(CancellationToken stoppingToken)
    {
        try
        {
            await SweepAsync(stoppingToken);
        }
        catch (DatabaseException exception)
        {
            Failed(log, "everything", exception);
        }
    }

    [LoggerMessage(EventId = 1200, Level = LogLevel.Warning, Message = "Throwing away {What} failed; it will be tried again.")]
    private static partial void Failed(ILogger logger, string what, Exception exception);
}
