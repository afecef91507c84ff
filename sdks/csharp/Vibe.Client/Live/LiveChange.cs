namespace Vibe.Client;

/// <summary>What happened to a document, as far as a query is concerned.</summary>
public enum ChangeKind
{
    /// <summary>It matches now, and did not before.</summary>
    Added,

    /// <summary>It matched before and still does, in a new revision.</summary>
    Modified,

    /// <summary>It was deleted, no longer matches, or may no longer be seen; which, is not said.</summary>
    Removed,
}

/// <summary>One change of a live query.</summary>
/// <typeparam name="T">What the bodies are.</typeparam>
/// <param name="Kind">What happened.</param>
/// <param name="Id">The document's id.</param>
/// <param name="Document">The document as it is now; null when it was removed.</param>
public sealed record LiveChange<T>(ChangeKind Kind, string Id, Document<T>? Document);

/// <summary>A live query as it is now.</summary>
/// <typeparam name="T">What the bodies are.</typeparam>
/// <param name="Documents">What matches, in order.</param>
/// <param name="Changes">What is different from the result before; of the first one, nothing.</param>
public sealed record LiveResult<T>(IReadOnlyList<Document<T>> Documents, IReadOnlyList<LiveChange<T>> Changes);

/// <summary>Where a subscription begins.</summary>
public sealed class SubscribeOptions
{
    /// <summary>Begin with the documents that match now, each as <see cref="ChangeKind.Added"/>. Default: only later changes.</summary>
    public bool Initial { get; init; }

    /// <summary>
    /// Go on from here: <see cref="Subscription{T}.Cursor"/> of an earlier one, of this program or of one before. When the server no longer
    /// knows what happened since, reading fails with CURSOR_EXPIRED, and everything has to be read again. Not with
    /// <see cref="Query{T}.Take"/>.
    /// </summary>
    public string? Cursor { get; init; }

    internal static SubscribeOptions Default { get; } = new();
}
