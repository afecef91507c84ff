namespace Vibe.Client.Calls;

/// <summary>Pauses between attempts: longer each time, with full jitter, so that many clients do not come back at once.</summary>
internal sealed class Backoff(TimeSpan longest)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);
    private int _attempt;

    /// <summary>The next pause: what the server asks for, or a random one.</summary>
    public TimeSpan Next(TimeSpan? asked = null) => asked ?? Random.Shared.NextDouble() * Limit(_attempt++);

    /// <summary>An attempt succeeded.</summary>
    public void Reset() => _attempt = 0;

    private TimeSpan Limit(int attempt) => attempt > 20 || First * (1 << attempt) > longest ? longest : First * (1 << attempt);
}
