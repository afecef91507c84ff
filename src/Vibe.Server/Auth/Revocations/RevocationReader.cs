using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Revocations;

/// <summary>
/// Keeps this node's revocations up to date: one short query every half second, however many callers there are, and independent
/// of the change feed. The server takes no call before the first one was answered. While the database is away what is known
/// stays in force; afterwards all is read again.
/// </summary>
internal sealed class RevocationReader(RevocationStore store, RevocationSet revocations, TimeProvider time, ILogger<RevocationReader> log)
    : BackgroundService
{
    /// <summary>The time between two readings.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CleanInterval = TimeSpan.FromMinutes(1);

    private RevocationPlace? _place;
    private long _readAt = time.GetTimestamp();
    private bool _isCutOff;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        while (!await TryAsync(ReadAsync, cancellationToken))
        {
            await Task.Delay(Interval, time, cancellationToken);
        }

        await base.StartAsync(cancellationToken);
    }

    /// <summary>Reads what is new.</summary>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        var since = _place;
        _place = null;
        var (read, place) = await store.ReadAsync(since, cancellationToken);
        foreach (var revocation in revocations.Apply(read))
        {
            // What was there before this node began tells nothing of its speed.
            if (since is not null)
            {
                AuthMeters.RevocationDelay.Record(Math.Max(0, (time.GetUtcNow() - revocation.RevokeTime).TotalSeconds));
            }
        }

        _place = place;
        Volatile.Write(ref _readAt, time.GetTimestamp());
    }

    /// <summary>Since when nothing was read: half a second and a little, while the database answers.</summary>
    public TimeSpan Age => time.GetElapsedTime(Volatile.Read(ref _readAt));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var cleaned = time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await TryAsync(ReadAsync, stoppingToken);
                if (time.GetElapsedTime(cleaned) >= CleanInterval)
                {
                    cleaned = time.GetTimestamp();
                    revocations.RemoveExpired();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task<bool> TryAsync(Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        // A database that does not answer must not hold up the next try.
        using var late = new CancellationTokenSource(Patience, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stoppingToken);
        try
        {
            await work(stop.Token);
            if (_isCutOff)
            {
                _isCutOff = false;
                AuthLog.RevocationsReadAgain(log);
            }

            return true;
        }
        catch (Exception exception) when (exception is DatabaseException || (exception is OperationCanceledException && !stoppingToken.IsCancellationRequested))
        {
            if (!_isCutOff)
            {
                _isCutOff = true;
                AuthLog.RevocationsUnread(log, exception);
            }

            return false;
        }
    }
}
