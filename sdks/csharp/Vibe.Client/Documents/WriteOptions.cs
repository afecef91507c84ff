using Vibe.Documents.V1;

namespace Vibe.Client;

/// <summary>What may be said of a write besides its data.</summary>
public sealed class WriteOptions
{
    /// <summary>
    /// A name chosen by the app, unique for the owner and the collection: the document with it is made, or its data replaced. Not for a change
    /// by id.
    /// </summary>
    public string? Key { get; init; }

    /// <summary>The id of a new document, a UUID. Default: one is made. Not together with a key.</summary>
    public string? Id { get; init; }

    /// <summary>Who else may read and write. Null: nobody for a new document, as before for one that is there.</summary>
    public AccessControl? Acl { get; init; }

    /// <summary>Links to other documents. Null: none for a new document, as before for one that is there.</summary>
    public IEnumerable<Edge>? Edges { get; init; }

    /// <summary>Write only if the document still has this etag; else the write fails with ETAG_MISMATCH. Not for a new document.</summary>
    public string? Etag { get; init; }

    /// <summary>A UUID that names the intention, for whoever repeats a write across restarts. Default: one is made for each call.</summary>
    public string? RequestId { get; init; }

    internal static WriteOptions None { get; } = new();
}
