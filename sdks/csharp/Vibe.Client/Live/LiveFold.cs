using Vibe.Client.Documents;
using Vibe.Documents.V1;
using Vibe.Realtime.V1;

namespace Vibe.Client.Live;

/// <summary>A change that is news, and the document it is about.</summary>
internal readonly record struct FoldedChange(ChangeKind Kind, string Id, Document? Document);

/// <summary>
/// Folds the frames of streams into what a query holds, and knows where the next stream goes on. tests/vectors/cursors says what it does.
/// </summary>
/// <param name="spec">The query.</param>
/// <param name="isWhole">
/// It holds all that matches, from the first documents on. Otherwise it only passes later changes on, and remembers as much as it takes to
/// drop repeats.
/// </param>
internal sealed class LiveFold(QuerySpec spec, bool isWhole)
{
    private readonly List<FoldedChange> _transaction = [];
    private Dictionary<string, Document> _members = new(StringComparer.Ordinal);
    private Dictionary<string, Document>? _fresh;
    private Dictionary<string, long> _recent = new(StringComparer.Ordinal);
    private Dictionary<string, long> _older = new(StringComparer.Ordinal);
    private bool _isReady;

    /// <summary>What matches.</summary>
    public IReadOnlyCollection<Document> Documents => _members.Values;

    /// <summary>Where the next stream goes on; empty when it starts from nothing.</summary>
    public string Cursor { get; set; } = "";

    /// <summary>Whether it was complete once.</summary>
    public bool IsKnown { get; private set; }

    private bool IsWindow => spec.Limit > 0;

    /// <summary>What the next stream asks.</summary>
    public SubscribeRequest Open()
    {
        _isReady = false;
        _transaction.Clear();

        // What is told before `ready` counts only when it starts from nothing: a stream that was cut off may have told half of it.
        _fresh = isWhole && (Cursor.Length == 0 || IsWindow) ? new(StringComparer.Ordinal) : null;
        return new()
        {
            Collection = spec.Collection,
            Scope = spec.Scope,
            Filter = spec.FilterText,
            OrderBy = IsWindow ? spec.OrderText : "",
            Limit = spec.Limit,
            Cursor = IsWindow ? "" : Cursor,
            Initial = isWhole && !IsWindow && Cursor.Length == 0,
        };
    }

    /// <summary>The cursor is not good any more: the next stream starts from nothing.</summary>
    public void Restart() => Cursor = "";

    /// <summary>Takes a frame.</summary>
    /// <returns>What changed by it, in order. Before <c>ready</c> of a start from nothing: nothing.</returns>
    public IReadOnlyList<FoldedChange> Take(SubscribeResponse frame)
    {
        switch (frame.FrameCase)
        {
            case SubscribeResponse.FrameOneofCase.Ready:
                return Complete(frame.Ready.Cursor);
            case SubscribeResponse.FrameOneofCase.Checkpoint when _isReady:
                Move(frame.Checkpoint.Cursor);
                return [];
            case SubscribeResponse.FrameOneofCase.Batch:
                return Take(frame.Batch);
            default:
                return [];
        }
    }

    private List<FoldedChange> Take(Batch batch)
    {
        foreach (var change in batch.Changes)
        {
            _transaction.AddRange(change.Added.Select(static added => new FoldedChange(ChangeKind.Added, added.Id, added)));
            _transaction.AddRange(change.Modified.Select(static modified => new FoldedChange(ChangeKind.Modified, modified.Id, modified)));
            _transaction.AddRange(change.Removed.Select(static removed => new FoldedChange(
                ChangeKind.Removed, removed.Id, new Document { Id = removed.Id, Revision = removed.Revision })));
        }

        if (batch.HasMore)
        {
            return [];
        }

        List<FoldedChange> news = [];
        foreach (var change in _transaction)
        {
            if (Apply(change) is { } folded)
            {
                news.Add(folded);
            }
        }

        _transaction.Clear();
        return _fresh is null ? news : [];
    }

    // The change as it is news to the caller; null when it is none.
    private FoldedChange? Apply(FoldedChange change)
    {
        if (!isWhole)
        {
            return Remember(change);
        }

        var into = _fresh ?? _members;
        var known = into.GetValueOrDefault(change.Id);
        var document = change.Document!;
        if (change.Kind == ChangeKind.Removed)
        {
            if (known is null || (document.Revision > 0 && known.Revision > document.Revision))
            {
                return null;
            }

            into.Remove(change.Id);
            return change with { Document = null };
        }

        // An older revision is an older frame's: a later one says what became of the document.
        if (known is not null && known.Revision >= document.Revision)
        {
            return null;
        }

        into[change.Id] = document;
        return new(known is null ? ChangeKind.Added : ChangeKind.Modified, change.Id, document);
    }

    private FoldedChange? Remember(FoldedChange change)
    {
        var document = change.Document!;
        var known = _recent.TryGetValue(change.Id, out var recent) ? recent : _older.GetValueOrDefault(change.Id);
        if (document.Revision > 0 && (change.Kind == ChangeKind.Removed ? known > document.Revision : known >= document.Revision))
        {
            return null;
        }

        // Out of sight has no revision, and what comes into sight again may have the one from before.
        _recent[change.Id] = change.Kind == ChangeKind.Removed ? Math.Max(document.Revision - 1, 0) : document.Revision;
        return change.Kind == ChangeKind.Removed ? change with { Document = null } : change;
    }

    private List<FoldedChange> Complete(string cursor)
    {
        var changes = _fresh is { } fresh ? Replace(fresh) : [];
        _fresh = null;
        _isReady = true;
        IsKnown = true;
        Move(cursor);
        return changes;
    }

    // All was read again: what was not told is gone.
    private List<FoldedChange> Replace(Dictionary<string, Document> fresh)
    {
        List<FoldedChange> changes = [.. _members.Keys.Where(id => !fresh.ContainsKey(id)).Select(static id => new FoldedChange(ChangeKind.Removed, id, null))];
        foreach (var (id, document) in fresh)
        {
            var known = _members.GetValueOrDefault(id);
            if (known is null || known.Revision != document.Revision)
            {
                changes.Add(new(known is null ? ChangeKind.Added : ChangeKind.Modified, id, document));
            }
        }

        _members = fresh;
        return changes;
    }

    private void Move(string cursor)
    {
        if (!IsWindow)
        {
            Cursor = cursor;
        }

        // Repeats come from around the cursor that a stream goes on from, never from long before it.
        if (_recent.Count > 0)
        {
            (_older, _recent) = (_recent, new(StringComparer.Ordinal));
        }
    }
}
