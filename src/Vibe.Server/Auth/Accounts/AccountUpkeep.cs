using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>What runs beside the requests: deletes what has expired, on one node at a time.</summary>
internal sealed class AccountUpkeep(
    Database database, IEnumerable<Sweep> sweeps, AccountOptions options, TimeProvider time, ILogger<AccountUpkeep> log) : BackgroundService
{
    private const int BatchSize = 5_000;

    /// <summary>Deletes what has expired, unless another node is at it.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        await using var turn = await database.Owner.TryAcquireLockAsync("vibe auth sweep", cancellationToken);
        if (turn is null)
        {
            return;
        }

        foreach (var sweep in AccountSweeps.Of(options).Concat(sweeps))
        {
            while (await database.Owner.ExecuteAsync(sweep.Delete(time.GetUtcNow(), BatchSize), cancellationToken) == BatchSize)
            {
                // More of them.
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.SweepInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await TryAsync("deleting what has expired", SweepAsync, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    // Upkeep never ends the server: the database may be restarting.
    private async Task TryAsync(string what, Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        try
        {
            await work(stoppingToken);
        }
        catch (DatabaseException exception)
        {
            AccountLog.UpkeepFailed(log, what, exception);
        }
    }
}
