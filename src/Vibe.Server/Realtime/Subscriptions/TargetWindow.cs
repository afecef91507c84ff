using Vibe.Server.Documents;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Realtime.Feed;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>
/// The documents of a target with a limit, in order: what the client has. Changes move documents in and out; when one leaves
/// and others wait behind the window, it must be read again. Not thread-safe: its stream's own.
/// </summary>
/// <param name="plan">The target.</param>
internal sealed class TargetWindow(TargetPlan plan)
{
    private readonly List<Entry> _entries = [];

    /// <summary>There are documents behind the window, or may be.</summary>
    private bool _hasMore;

    /// <summary>The window lacks documents that only the database knows.</summary>
    public bool NeedsReading { get; private set; }

    /// <summary>Takes a change.</summary>
    /// <param name="document">The version.</param>
    /// <param name="kind">What it means to the query without its limit.</param>
    /// <returns>What the client is told.</returns>
    public IEnumerable<(FeedDocument? Document, RemovedEntry? Removed, ChangeKind Kind)> Apply(FeedDocument document, ChangeKind kind)
    {
        var index = _entries.FindIndex(entry => entry.Id == document.Row.Id);
        if (index >= 0 && _entries[index].Revision >= document.Row.Revision)
        {
            yield break;
        }

        if (kind == ChangeKind.Removed)
        {
            if (index >= 0)
            {
                _entries.RemoveAt(index);
                NeedsReading |= _hasMore;
                yield return (document, null, ChangeKind.Removed);
            }

            yield break;
        }

        var place = plan.Query.Order.PlaceOf(document.View);
        if (index >= 0)
        {
            _entries.RemoveAt(index);
        }

        var position = PositionOf(place);
        // Behind the last one that is known, others may come first.
        if (position == _entries.Count && _hasMore)
        {
            if (index >= 0)
            {
                NeedsReading = true;
                yield return (document, null, ChangeKind.Removed);
            }

            yield break;
        }

        if (position >= plan.Limit)
        {
            _hasMore = true;
            if (index >= 0)
            {
                yield return (document, null, ChangeKind.Removed);
            }

            yield break;
        }

        _entries.Insert(position, new Entry(document.Row.Id, document.Row.Revision, place));
        yield return (document, null, index >= 0 ? ChangeKind.Modified : ChangeKind.Added);
        if (_entries.Count > plan.Limit)
        {
            var pushed = _entries[^1];
            _entries.RemoveAt(_entries.Count - 1);
            _hasMore = true;
            yield return (null, new RemovedEntry(pushed.Id, pushed.Revision), ChangeKind.Removed);
        }
    }

    /// <summary>Takes the window as the database has it.</summary>
    /// <param name="rows">The documents in order, one more than the limit when there are more.</param>
    /// <returns>What the client is told: what is new to it, or changed, or gone.</returns>
    public (List<(DocumentRow Row, ChangeKind Kind)> Shown, List<RemovedEntry> Removed) Replace(IReadOnlyList<(DocumentRow Row, Place Place)> rows)
    {
        var had = _entries.ToDictionary(static entry => entry.Id);
        _entries.Clear();
        List<(DocumentRow Row, ChangeKind Kind)> shown = [];
        foreach (var (row, place) in rows.Take(plan.Limit))
        {
            if (!had.Remove(row.Id, out var known))
            {
                shown.Add((row, ChangeKind.Added));
            }
            else if (known.Revision < row.Revision)
            {
                shown.Add((row, ChangeKind.Modified));
            }

            _entries.Add(new Entry(row.Id, row.Revision, place));
        }

        _hasMore = rows.Count > plan.Limit;
        NeedsReading = false;
        return (shown, [.. had.Values.Select(static entry => new RemovedEntry(entry.Id, entry.Revision))]);
    }

    private int PositionOf(Place place)
    {
        int low = 0, high = _entries.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (plan.Query.Order.Compare(_entries[middle].Place, place) < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private sealed record Entry(Guid Id, long Revision, Place Place);
}

/// <summary>A document that left a window without changing.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Revision">The revision the client has.</param>
internal sealed record RemovedEntry(Guid Id, long Revision);
