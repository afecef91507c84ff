namespace Vibe.Server.Realtime.Channels;

/// <summary>How much may still be sent: so many a second, two seconds' worth saved up. Not thread-safe.</summary>
internal sealed class Allowance(int perSecond, TimeProvider time)
{
    private double _left = 2.0 * perSecond;
    private long _since = time.GetTimestamp();

    /// <summary>Takes one.</summary>
    /// <returns>How long to wait when there is none; null otherwise.</returns>
    public TimeSpan? Take()
    {
        var now = time.GetTimestamp();
        _left = Math.Min(2.0 * perSecond, _left + (time.GetElapsedTime(_since, now).TotalSeconds * perSecond));
        _since = now;
        if (_left < 1)
        {
            return TimeSpan.FromSeconds((1 - _left) / perSecond);
        }

        _left--;
        return null;
    }
}
