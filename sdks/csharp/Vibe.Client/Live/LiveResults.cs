using System.Runtime.CompilerServices;
using Vibe.Client.Documents;
using Vibe.Documents.V1;

namespace Vibe.Client.Live;

/// <summary>A live query as a list.</summary>
internal sealed class LiveResults<T>(VibeClient client, QuerySpec spec)
    where T : class
{
    private readonly LiveFold _fold = new(spec, isWhole: true);
    private readonly DocumentOrder _order = new(spec.Order);

    // The same object as long as the revision is the same: its body is read once.
    private readonly Dictionary<string, Document<T>> _documents = new(StringComparer.Ordinal);

    public async IAsyncEnumerable<LiveResult<T>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var isFirst = true;
        await foreach (var changes in LiveFrames.ReadAsync(client, _fold, IsHandled, cancellationToken).ConfigureAwait(false))
        {
            var told = changes.Select(change => new LiveChange<T>(change.Kind, change.Id, Keep(change.Id, change.Document))).ToList();
            if (!_fold.IsKnown || (told.Count == 0 && !isFirst))
            {
                continue;
            }

            List<Document> sorted = [.. _fold.Documents];
            sorted.Sort(_order);
            yield return new([.. sorted.Select(document => _documents[document.Id])], isFirst ? [] : told);
            isFirst = false;
        }
    }

    private Document<T>? Keep(string id, Document? document)
    {
        if (document is null)
        {
            _documents.Remove(id);
            return null;
        }

        return _documents[id] = new Document<T>(document, client.Json);
    }

    private bool IsHandled(VibeException failure)
    {
        if (failure.Reason is not ("CURSOR_EXPIRED" or "CURSOR_INVALID"))
        {
            return false;
        }

        _fold.Restart();
        return true;
    }
}
