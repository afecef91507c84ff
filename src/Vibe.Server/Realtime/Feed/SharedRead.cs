namespace Vibe.Server.Realtime.Feed;

/// <summary>
/// Reads something for all who ask while it is being read: however large a crowd, one read runs and one waits. What a caller gets
/// was always read after the call. Thread-safe.
/// </summary>
/// <param name="read">Reads it.</param>
internal sealed class SharedRead<T>(Func<Task<T>> read)
{
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private Task<T>? _next;

    /// <summary>Joins the next read.</summary>
    /// <param name="cancellationToken">Ends this caller's wait, not the read.</param>
    public Task<T> ReadAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return (_next ??= StartAsync(_running)).WaitAsync(cancellationToken);
        }
    }

    private async Task<T> StartAsync(Task before)
    {
        // Whether that one failed is its own callers' news. It yields always, so that the caller can note this read as the next.
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        lock (_gate)
        {
            _running = _next!;
            _next = null;
        }

        return await read();
    }
}
