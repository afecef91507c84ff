using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>What runs beside the requests: erases the documents of accounts that were deleted, on one node at a time.</summary>
internal sealed class AccountUpkeep(Database database, AccountDeletion deletion, ILogger<AccountUpkeep> log) : BackgroundService
{
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

    /// <inheritdoc/>
    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await _wake.WaitAsync(ErasePoll, stoppingToken);
                await TryEraseAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    // Upkeep never ends the server: the database may be restarting.
    private async Task TryEraseAsync(CancellationToken stoppingToken)
    {
        try
        {
            await using var turn = await database.Owner.TryAcquireLockAsync("vibe account erasure", stoppingToken);
            if (turn is not null)
            {
                await deletion.EraseAsync(stoppingToken);
            }
        }
        catch (DatabaseException exception)
        {
            AccountLog.UpkeepFailed(log, "erasing deleted accounts", exception);
        }
    }
}
