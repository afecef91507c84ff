using System.Diagnostics;
using Vibe.Postgres.Replication;

namespace Vibe.Server.Realtime.Feed;

/// <summary>
/// How far the feed is behind: when the latest heartbeat of this node was written that has come back. By this machine's clock
/// alone. Thread-safe.
/// </summary>
internal sealed class FeedPace
{
    // More than are ever on their way; what is dropped was lost with a feed that broke.
    private const int MaxWaiting = 256;

    private readonly Lock _gate = new();
    private readonly Queue<(string Snapshot, long Written)> _waiting = new();
    private string? _early;
    private long _latest = Stopwatch.GetTimestamp();

    /// <summary>How long ago the latest heartbeat was written that has come back; since the start of the node while none has.</summary>
    public TimeSpan Age
    {
        get
        {
            lock (_gate)
            {
                return Stopwatch.GetElapsedTime(_latest);
            }
        }
    }

    /// <summary>A heartbeat was written.</summary>
    /// <param name="snapshot">What it saw.</param>
    /// <param name="written">When its writing began.</param>
    public void Wrote(Snapshot snapshot, long written)
    {
        lock (_gate)
        {
            // The feed may be faster than the answer to the commit.
            if (_early == snapshot.Text)
            {
                Arrived(written);
                return;
            }

            if (_waiting.Count == MaxWaiting)
            {
                _waiting.Dequeue();
            }

            _waiting.Enqueue((snapshot.Text, written));
        }
    }

    /// <summary>A heartbeat came back, of this node or another.</summary>
    public void CameBack(Snapshot snapshot)
    {
        lock (_gate)
        {
            _early = snapshot.Text;
            if (_waiting.All(waiting => waiting.Snapshot != snapshot.Text))
            {
                return;
            }

            // In the order they were written: those before it will not come any more.
            (string Snapshot, long Written) waiting;
            do
            {
                waiting = _waiting.Dequeue();
            }
            while (waiting.Snapshot != snapshot.Text);

            _early = null;
            Arrived(waiting.Written);
        }
    }

    private void Arrived(long written)
    {
        _latest = Math.Max(_latest, written);
        RealtimeMeters.FeedDelay.Record(Stopwatch.GetElapsedTime(written).TotalSeconds);
    }
}
