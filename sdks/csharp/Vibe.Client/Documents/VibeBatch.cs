using Vibe.Client.Documents;
using Vibe.Documents.V1;

namespace Vibe.Client;

/// <summary>Writes that happen together or not at all, at most 500: subscribers see them together.</summary>
public sealed class VibeBatch
{
    private readonly Writes _writes;

    internal VibeBatch(Writes writes) => _writes = writes;

    internal BatchWriteDocumentsRequest Request { get; } = new();

    /// <summary>A new document, or with a key the one of that name.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="data">The body.</param>
    /// <param name="options">A key, access rules, edges, an etag.</param>
    /// <returns>The new document's id, for edges of later writes; empty with a key.</returns>
    public string Write(string collection, object data, WriteOptions? options = null)
    {
        options ??= WriteOptions.None;
        var document = _writes.ToDocument(collection, data, options);
        Request.Writes.Add(With(options.Etag, options.Key is null ? new Write { Create = document } : new Write { Upsert = document }));
        return document.Id;
    }

    /// <summary>Changes a document: what the patch has is set, null removes, what it has not stays.</summary>
    /// <param name="id">The document.</param>
    /// <param name="patch">What to change.</param>
    /// <param name="options">An etag, access rules, edges.</param>
    public void Change(string id, object patch, WriteOptions? options = null)
    {
        options ??= WriteOptions.None;
        Request.Writes.Add(With(options.Etag, new Write { Update = new() { Document = _writes.ToChange(id, patch, options) } }));
    }

    /// <summary>Deletes a document.</summary>
    /// <param name="id">The document.</param>
    /// <param name="etag">Only if it still has this etag.</param>
    public void Remove(string id, string? etag = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        Request.Writes.Add(With(etag, new Write { Delete = new() { Id = id } }));
    }

    private static Write With(string? etag, Write write)
    {
        if (etag is not null)
        {
            write.Etag = etag;
        }

        return write;
    }
}
