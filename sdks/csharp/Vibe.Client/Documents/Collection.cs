using Grpc.Core;
using Vibe.Client.Documents;
using Vibe.Documents.V1;

namespace Vibe.Client;

/// <summary>The documents of one kind, and the query for all of the caller's own. Immutable and thread-safe.</summary>
/// <typeparam name="T">What their bodies are: a class or record of the app, or <see cref="System.Text.Json.Nodes.JsonObject"/>.</typeparam>
public sealed class Collection<T> : Query<T>
    where T : class
{
    internal Collection(VibeClient client, string name)
        : base(client, new QuerySpec(name))
    {
        Name = name;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>One document by its id, whoever it belongs to.</summary>
    /// <param name="id">The id.</param>
    /// <param name="expand">Edges to follow into <see cref="Document{T}.Related"/>: <c>author</c>, <c>~comment_on</c>, <c>~comment_on.author</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="VibeException">DOCUMENT_NOT_FOUND, also when the caller may not see it.</exception>
    public Task<Document<T>> GetAsync(string id, IEnumerable<string>? expand = null, CancellationToken cancellationToken = default) =>
        GetAsync(new GetDocumentRequest { Id = id, Expand = { expand ?? [] } }, cancellationToken);

    /// <summary>One document by its key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="owner">The DID of its owner; null for the caller.</param>
    /// <param name="expand">As in <see cref="GetAsync(string, IEnumerable{string}?, CancellationToken)"/>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="VibeException">DOCUMENT_NOT_FOUND, also when the caller may not see it.</exception>
    public Task<Document<T>> GetByKeyAsync(
        string key, string? owner = null, IEnumerable<string>? expand = null, CancellationToken cancellationToken = default) =>
        GetAsync(new GetDocumentRequest { Collection = Name, Key = key, Owner = owner ?? "", Expand = { expand ?? [] } }, cancellationToken);

    /// <summary>As <see cref="GetAsync(string, IEnumerable{string}?, CancellationToken)"/>, with null for no such document.</summary>
    /// <param name="id">The id.</param>
    /// <param name="expand">As there.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<Document<T>?> FindAsync(string id, IEnumerable<string>? expand = null, CancellationToken cancellationToken = default)
    {
        try
        {
            return await GetAsync(id, expand, cancellationToken).ConfigureAwait(false);
        }
        catch (VibeException exception) when (exception.Reason == "DOCUMENT_NOT_FOUND")
        {
            return null;
        }
    }

    /// <summary>
    /// Writes a new document, owned by the caller; with <see cref="WriteOptions.Key"/> the document of that name is made, or its data replaced. It
    /// happens once, however often it has to be sent, and is durable when this returns.
    /// </summary>
    /// <param name="data">The body.</param>
    /// <param name="options">A key, access rules, edges.</param>
    /// <param name="cancellationToken">Cancels the call; whether it was written is then not known.</param>
    /// <returns>The document as stored.</returns>
    public async Task<Document<T>> WriteAsync(T data, WriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= WriteOptions.None;
        var document = Client.Writes.ToDocument(Name, data, options);
        var requestId = options.RequestId ?? "";
        var call = new CallOptions(cancellationToken: cancellationToken);
        if (options.Key is null)
        {
            var created = await Client.Documents.CreateDocumentAsync(new() { Document = document, RequestId = requestId }, call).ConfigureAwait(false);
            return new(created.Document, Client.Json);
        }

        var upserted = await Client.Documents.UpsertDocumentAsync(
            new() { Collection = Name, Key = options.Key, Document = document, Etag = options.Etag ?? "", RequestId = requestId }, call).ConfigureAwait(false);
        return new(upserted.Document, Client.Json);
    }

    /// <summary>Changes a document: what the patch has is set, null removes, what it has not stays (RFC 7396).</summary>
    /// <param name="id">The document.</param>
    /// <param name="patch">What to change: <c>new { done = true }</c>, or a part of the body's type. Names become JSON as those of the body do.</param>
    /// <param name="options">An etag, access rules, edges.</param>
    /// <param name="cancellationToken">Cancels the call; whether it was written is then not known.</param>
    /// <returns>The document as stored.</returns>
    /// <exception cref="VibeException">DOCUMENT_NOT_FOUND, DOCUMENT_READ_ONLY, OWNER_REQUIRED, ETAG_MISMATCH.</exception>
    public async Task<Document<T>> WriteAsync(string id, object patch, WriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= WriteOptions.None;
        var changed = await Client.Documents.UpdateDocumentAsync(
            new() { Id = id, Document = Client.Writes.ToChange(id, patch, options), Etag = options.Etag ?? "", RequestId = options.RequestId ?? "" },
            new CallOptions(cancellationToken: cancellationToken)).ConfigureAwait(false);
        return new(changed.Document, Client.Json);
    }

    /// <summary>Deletes a document.</summary>
    /// <param name="id">The document.</param>
    /// <param name="etag">Only if it still has this etag.</param>
    /// <param name="cancellationToken">Cancels the call; whether it was deleted is then not known.</param>
    /// <exception cref="VibeException">DOCUMENT_NOT_FOUND, DOCUMENT_READ_ONLY, ETAG_MISMATCH.</exception>
    public async Task RemoveAsync(string id, string? etag = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        await Client.Documents.DeleteDocumentAsync(
            new() { Id = id, Etag = etag ?? "" }, new CallOptions(cancellationToken: cancellationToken)).ConfigureAwait(false);
    }

    private async Task<Document<T>> GetAsync(GetDocumentRequest request, CancellationToken cancellationToken)
    {
        var found = await Client.Documents.GetDocumentAsync(request, new CallOptions(cancellationToken: cancellationToken)).ConfigureAwait(false);
        return new(found.Document, Client.Json);
    }
}
