using System.Collections.Concurrent;

namespace Vibe.Server.Realtime.Bus;

/// <summary>The other nodes, and when each was last heard. Thread-safe.</summary>
internal sealed class BusPeers(BusOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<Guid, long> _heard = new();

    /// <summary>Those that live, as far as anyone knows.</summary>
    public IReadOnlyCollection<Guid> All => [.. _heard.Keys];

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => _heard.IsEmpty;

    /// <summary>Notes that a node was heard.</summary>
    /// <returns>Whether it was not known.</returns>
    public bool Hear(Guid node)
    {
        var isNew = !_heard.ContainsKey(node);
        _heard[node] = time.GetTimestamp();
        return isNew;
    }

    /// <summary>Counts everyone's silence from here on.</summary>
    public void Refresh()
    {
        foreach (var node in _heard.Keys)
        {
            _heard[node] = time.GetTimestamp();
        }
    }

    /// <summary>Forgets a node.</summary>
    /// <returns>Whether it was known.</returns>
    public bool Remove(Guid node) => _heard.TryRemove(node, out _);

    /// <summary>Nodes that by a point in time were not heard for too long.</summary>
    public IEnumerable<Guid> Silent(long now) =>
        _heard.Where(entry => time.GetElapsedTime(entry.Value, now) > options.Silence).Select(static entry => entry.Key).ToList();
}
