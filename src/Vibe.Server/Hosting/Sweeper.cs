using System.Diagnostics.Metrics;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Hosting;

/// <summary>Lets the features throw away what has had its time: on whichever node comes first, the others skip a turn.</summary>
internal sealed partial class Sweeper(Database database, IEnumerable<ISweep> sweeps, TimeProvider time, ILogger<Sweeper> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);
    private static readonly Meter Meter = new("Vibe.Hosting");
    private static readonly Counter<long> Sweeps = Meter.CreateCounter<long>(
        "vibe.sweeps", "{sweep}", "Times this node threw away what had had its time, by what and how it went.");

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
                Count(sweep.Name, "done", 1);
            }
            catch (DatabaseException exception)
            {
                Count(sweep.Name, "failed", 1);
                Failed(log, sweep.Name, exception);
            }
        }

        return true;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // What has not happened yet is a zero and not absent.
        foreach (var sweep in sweeps)
        {
            Count(sweep.Name, "done", 0);
            Count(sweep.Name, "failed", 0);
        }

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

    private static void Count(string what, string outcome, int times) =>
        Sweeps.Add(times, new("vibe.sweep", what), new KeyValuePair<string, object?>("vibe.outcome", outcome));

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
