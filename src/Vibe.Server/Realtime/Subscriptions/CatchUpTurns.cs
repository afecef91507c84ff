namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>
/// Lets a few at a time of those who start or resume ask the database: a crowd that comes back at once takes its turn and leaves
/// connections to everybody else. Only a query holds a turn, never a client that is slow to read. Thread-safe.
/// </summary>
internal sealed class CatchUpTurns(RealtimeOptions options) : IDisposable
{
    private readonly SemaphoreSlim _turns = new(options.MaxCatchUpQueries);

    /// <summary>Runs a query when it is its turn.</summary>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> query, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken);
        try
        {
            return await query(cancellationToken);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turns.Dispose();
}
