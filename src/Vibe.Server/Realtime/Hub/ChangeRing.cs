using System.Runtime.InteropServices;
using Vibe.Postgres.Replication;
using Vibe.Server.Realtime.Feed;

namespace Vibe.Server.Realtime.Hub;

/// <summary>
/// The latest transactions of the feed in the order of their commits, for streams that start or resume. It holds every
/// transaction that <see cref="Floor"/> does not see. Not thread-safe.
/// </summary>
/// <param name="capacity">Bytes of documents to keep, besides what must be kept.</param>
internal sealed class ChangeRing(long capacity)
{
    private readonly List<CommittedChanges> _transactions = [];

    // Each sees all that the one before does. Of several without news in between, the first.
    private readonly List<Heartbeat> _heartbeats = [];

    // Transactions are numbered as they come; this is the oldest one here.
    private long _first;
    private long _bytes;

    /// <summary>Everything it does not see is here; null before the first heartbeat.</summary>
    public Snapshot? Floor => _heartbeats.Count == 0 ? null : _heartbeats[0].Snapshot;

    /// <summary>Adds what was just delivered.</summary>
    public void Add(CommittedChanges transaction)
    {
        _transactions.Add(transaction);
        _bytes += transaction.Bytes;
    }

    /// <summary>Notes a heartbeat, and forgets what is old enough.</summary>
    public void Confirm(Snapshot snapshot)
    {
        var unseen = _heartbeats.Count == 0 ? _first : _heartbeats[^1].FirstUnseen;
        while (unseen < _first + _transactions.Count && snapshot.Sees(_transactions[(int)(unseen - _first)].Transaction))
        {
            unseen++;
        }

        if (_heartbeats.Count == 0 || _heartbeats[^1].FirstUnseen < unseen)
        {
            _heartbeats.Add(new Heartbeat(snapshot, unseen));
            Trim();
        }
    }

    /// <summary>Forgets everything: the feed has a gap.</summary>
    public void Clear()
    {
        _first += _transactions.Count;
        _transactions.Clear();
        _heartbeats.Clear();
        _bytes = 0;
    }

    /// <summary>All transactions that a snapshot does not see, and perhaps some that it does.</summary>
    /// <param name="since">The snapshot; null for one that is taken later than the last heartbeat.</param>
    /// <returns>Null when some of them are not here any more.</returns>
    public IEnumerable<CommittedChanges>? After(Snapshot? since)
    {
        if (since is null)
        {
            return From(_heartbeats.Count == 0 ? _first : _heartbeats[^1].FirstUnseen);
        }

        // The last heartbeat that the snapshot includes: what that one had seen needs no looking at.
        int low = 0, high = _heartbeats.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (since.Includes(_heartbeats[middle].Snapshot))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low == 0 ? null : From(_heartbeats[low - 1].FirstUnseen);
    }

    private IEnumerable<CommittedChanges> From(long number)
    {
        for (var index = (int)(number - _first); index < _transactions.Count; index++)
        {
            yield return _transactions[index];
        }
    }

    private void Trim()
    {
        var floor = 0;
        var bytes = _bytes;
        var kept = 0;
        while (bytes > capacity && floor + 1 < _heartbeats.Count)
        {
            floor++;
            for (; _first + kept < _heartbeats[floor].FirstUnseen; kept++)
            {
                bytes -= _transactions[kept].Bytes;
            }
        }

        _heartbeats.RemoveRange(0, floor);
        _transactions.RemoveRange(0, kept);
        _first += kept;
        _bytes = bytes;
    }

    /// <param name="Snapshot">What it saw.</param>
    /// <param name="FirstUnseen">The number of the first transaction that it did not see: it saw all before.</param>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Heartbeat(Snapshot Snapshot, long FirstUnseen);
}
