namespace Vibe.Rpc.Calls;

/// <summary>Counts what the requests of all calls hold until they are served, beyond a little that each may hold in any case. Thread-safe.</summary>
/// <param name="most">How many bytes they may hold together.</param>
internal sealed class RequestMemory(long most)
{
    /// <summary>What a call may hold without being counted: small requests get in whatever large ones do.</summary>
    public const long Free = 64 * 1024;

    private long _held;

    /// <summary>A call holds another amount now.</summary>
    /// <returns>Whether there is room; when not, the amount before is still counted.</returns>
    public bool TryChange(long before, long now)
    {
        var change = Counted(now) - Counted(before);
        if (change <= 0 || Interlocked.Add(ref _held, change) <= most)
        {
            if (change < 0)
            {
                Interlocked.Add(ref _held, change);
            }

            return true;
        }

        Interlocked.Add(ref _held, -change);
        return false;
    }

    private static long Counted(long bytes) => Math.Max(0, bytes - Free);
}
