using Vibe.Postgres.Sessions;
using Vibe.Server.Documents.FieldIndexes;

namespace Vibe.Server.Documents;

/// <summary>What runs beside the requests: builds field indexes, writes use counts down.</summary>
internal sealed class DocumentUpkeep(
    FieldIndexBuilder builder, FieldIndexCatalog catalog, DocumentOptions options, TimeProvider time, ILogger<DocumentUpkeep> log)
    : BackgroundService
{
    private static readonly TimeSpan WaitForWriters = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _wake = new(0, 1);

    /// <summary>Says that there is an index to build.</summary>
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
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryAsync("counting index uses", () => catalog.FlushAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        BuildAsync(stoppingToken),
        EveryAsync(options.UseCountFlush, "counting index uses", catalog.FlushAsync, stoppingToken));

    private async Task BuildAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var step = BuildStep.Idle;
            await TryAsync("building field indexes", async () => step = await builder.StepAsync(stoppingToken));
            try
            {
                await (step switch
                {
                    BuildStep.Idle => _wake.WaitAsync(options.FieldIndexPoll, stoppingToken),
                    BuildStep.Waiting => Task.Delay(WaitForWriters, time, stoppingToken),
                    _ => Task.CompletedTask,
                });
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task EveryAsync(TimeSpan interval, string what, Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await TryAsync(what, () => work(stoppingToken));
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    // Upkeep never ends the server: the database may be restarting.
    private async Task TryAsync(string what, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
        catch (DatabaseException exception)
        {
            DocumentLog.UpkeepFailed(log, what, exception);
        }
    }
}
