using Vibe.Client.Documents;
using Vibe.Client.Live;

namespace Vibe.Client;

/// <summary>The changes of a live query, one by one. It is read once, by one reader.</summary>
/// <typeparam name="T">What the bodies are.</typeparam>
public sealed class Subscription<T> : IAsyncEnumerable<LiveChange<T>>
    where T : class
{
    private readonly VibeClient _client;
    private readonly SubscribeOptions _options;
    private readonly LiveFold _fold;
    private readonly CancellationToken _cancellationToken;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isRead;

    internal Subscription(VibeClient client, QuerySpec spec, SubscribeOptions options, CancellationToken cancellationToken)
    {
        if (options.Cursor is not null && spec.Limit > 0)
        {
            throw VibeException.InvalidArgument("cursor", "a query with Take is always sent anew");
        }

        _client = client;
        _options = options;
        _cancellationToken = cancellationToken;
        _fold = new LiveFold(spec, isWhole: (options.Initial && options.Cursor is null) || spec.Limit > 0) { Cursor = options.Cursor ?? "" };
    }

    /// <summary>
    /// Where to go on: everything before it was told, and whoever keeps it after having dealt with a change goes on without a gap. Null
    /// before the first, and with <see cref="Query{T}.Take"/>. It belongs to this caller and their rights.
    /// </summary>
    public string? Cursor => _fold.Cursor is { Length: > 0 } cursor ? cursor : null;

    /// <summary>Completes when every later commit is told. Only while the subscription is read.</summary>
    public Task Ready => _ready.Task;

    /// <inheritdoc/>
    /// <exception cref="VibeException">
    /// The caller may not, or no longer; or CURSOR_EXPIRED, when the server no longer knows what happened since the cursor and the subscription
    /// did not begin with the documents themselves.
    /// </exception>
    public async IAsyncEnumerator<LiveChange<T>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isRead, 1) != 0)
        {
            throw new InvalidOperationException("A subscription is read once; make another one.");
        }

        using var both = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken, cancellationToken);
        await foreach (var changes in LiveFrames.ReadAsync(_client, _fold, IsHandled, both.Token).ConfigureAwait(false))
        {
            foreach (var (kind, id, document) in changes)
            {
                yield return new(kind, id, document is null ? null : new Document<T>(document, _client.Json));
            }

            if (_fold.IsKnown)
            {
                _ready.TrySetResult();
            }
        }
    }

    // Whoever has the documents themselves reads them again, and tells the difference.
    private bool IsHandled(VibeException failure)
    {
        if (!_options.Initial || _options.Cursor is not null || failure.Reason is not ("CURSOR_EXPIRED" or "CURSOR_INVALID"))
        {
            return false;
        }

        _fold.Restart();
        return true;
    }
}
