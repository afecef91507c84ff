using Vibe.Postgres.Replication;
using Vibe.Server.Realtime.Feed;

namespace Vibe.Server.Realtime.Hub;

/// <summary>
/// The latest transactions of the feed, for streams that start or resume. It holds every transaction that
/// <see cref="Floor"/> does not see. Not thread-safe.
/// </summary>
/// <param name="capacity">Bytes of documents to keep, besides what must be kept.</param>
internal sealed class ChangeRing(long capacity)
{
    // In the order of commits; a heartbeat stands after all that it sees.
    private readonly LinkedList<CommittedChanges> _transactions = [];
    private readonly Queue<(Snapshot Snapshot, long BytesSince)> _heartbeats = new();
    private long _bytes;
    private long _bytesEver;

    /// <summary>Everything it does not see is here; null before the first heartbeat.</summary>
    public Snapshot? Floor { get; private set; }

    /// <summary>The transactions in order.</summary>
    public IEnumerable<CommittedChanges> Transactions => _transactions;

    /// <summary>Adds what was just delivered.</summary>
    public void Add(CommittedChanges transaction)
    {
        _transactions.AddLast(transaction);
        _bytes += transaction.Bytes;
        _bytesEver += transaction.Bytes;
    }

    /// <summary>Notes a heartbeat, and forgets what is old enough.</summary>
    public void Confirm(Snapshot snapshot)
    {
        Floor ??= snapshot;
        _heartbeats.Enqueue((snapshot, _bytesEver));
        while (_bytes > capacity && _heartbeats.Count > 1)
        {
            _heartbeats.Dequeue();
            MoveFloor(_heartbeats.Peek().Snapshot);
        }

        // Idle hours leave no list of heartbeats behind: between two without a change one will do.
        if (_heartbeats.Count > 4096)
        {
            Thin();
        }
    }

    /// <summary>Forgets everything: the feed has a gap.</summary>
    public void Clear()
    {
        _transactions.Clear();
        _heartbeats.Clear();
        _bytes = 0;
        Floor = null;
    }

    private void MoveFloor(Snapshot floor)
    {
        Floor = floor;
        for (var node = _transactions.First; node is not null;)
        {
            var next = node.Next;
            if (floor.Sees(node.Value.Transaction))
            {
                _bytes -= node.Value.Bytes;
                _transactions.Remove(node);
            }
            else if (node.Value.Transaction >= floor.Max)
            {
                // In the order of commits what follows may still be older, but not by much: it is found with the next floor.
                break;
            }

            node = next;
        }
    }

    private void Thin()
    {
        var kept = new List<(Snapshot Snapshot, long BytesSince)>();
        foreach (var heartbeat in _heartbeats)
        {
            if (kept.Count > 0 && kept[^1].BytesSince == heartbeat.BytesSince)
            {
                kept[^1] = heartbeat;
            }
            else
            {
                kept.Add(heartbeat);
            }
        }

        _heartbeats.Clear();
        foreach (var heartbeat in kept.Count > 4096 ? kept.Where((_, index) => index % 2 == 1 || index == kept.Count - 1) : kept)
        {
            _heartbeats.Enqueue(heartbeat);
        }

        MoveFloor(_heartbeats.Peek().Snapshot);
    }
}
