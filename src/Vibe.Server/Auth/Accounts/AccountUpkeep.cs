using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>
/// What runs beside the requests: deletes what has expired, and the documents of accounts that were deleted. On one node at a time.
/// </summary>
internal sealed class AccountUpkeep(
    Database database, IEnumerable<Sweep> sweeps, AccountDeletion deletion, AccountOptions options, TimeProvider time, ILogger<AccountUpkeep> log)
    : BackgroundService
{
    private const int BatchSize = 5_000;
    private static readonly TimeSpan ErasePoll = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _wake = new(0, 1);

    /// <summary>Says that there is an account to erase.</summary>
    public void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    /// <summary>Deletes what has expired, unless another node is at it.</summary>
    public Task SweepAsync(CancellationToken cancellationToken) => AloneAsync(
        "vibe auth sweep",
        async () =>
        {
            foreach (var sweep in AccountSweeps.Of(options).Concat(sweeps))
            {
                while (await database.Owner.ExecuteAsync(sweep.Delete(time.GetUtcNow(), BatchSize), cancellationToken) == BatchSize)
                {
                    // More of them.
                }
            }
        },
        cancellationToken);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        RepeatAsync("deleting what has expired", () => Task.Delay(options.SweepInterval, time, stoppingToken), SweepAsync, stoppingToken),
        RepeatAsync(
            "erasing deleted accounts",
            () => _wake.WaitAsync(ErasePoll, stoppingToken),
            stop => AloneAsync("vibe account erasure", () => deletion.EraseAsync(stop), stop),
            stoppingToken));

    private async Task AloneAsync(string name, Func<Task> work, CancellationToken cancellationToken)
    {
        await using var turn = await database.Owner.TryAcquireLockAsync(name, cancellationToken);
        if (turn is not null)
        {
            await work();
        }
    }

    // Upkeep never ends the server: the database may be restarting.
    private async Task RepeatAsync(string what, Func<Task> pause, Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await pause();
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
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
