using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Vibe.Client.Documents;
using Vibe.Documents.V1;

namespace Vibe.Client;

/// <summary>A JSON object with an owner, access rules and revisions.</summary>
/// <typeparam name="T">What its body is to the app.</typeparam>
public sealed class Document<T>
{
    private readonly JsonSerializerOptions _json;
    private readonly Lazy<T> _data;

    internal Document(Document message, JsonSerializerOptions json)
    {
        Message = message;
        _json = json;
        _data = new(() => JsonBody.FromStruct<T>(message.Data ?? new Struct(), json));
    }

    /// <summary>A UUID.</summary>
    public string Id => Message.Id;

    /// <summary>What kind of document it is.</summary>
    public string Collection => Message.Collection;

    /// <summary>The DID of the user or app it belongs to.</summary>
    public string Owner => Message.Owner;

    /// <summary>The DID of the app that wrote this revision; empty when the owner wrote it without an app.</summary>
    public string App => Message.App;

    /// <summary>The name the app gave it; empty without one.</summary>
    public string Key => Message.Key;

    /// <summary>The body, read when it is first asked for.</summary>
    /// <exception cref="JsonException">It does not fit the type: another app may have written it.</exception>
    public T Data => _data.Value;

    /// <summary>Who else may read and write; only the owner sees it, null for others.</summary>
    public AccessControl? Acl => Message.Acl;

    /// <summary>Links to other documents.</summary>
    public IReadOnlyList<Edge> Edges => Message.Edges;

    /// <summary>When it was created.</summary>
    public DateTimeOffset CreateTime => Message.CreateTime?.ToDateTimeOffset() ?? default;

    /// <summary>When this revision was written.</summary>
    public DateTimeOffset UpdateTime => Message.UpdateTime?.ToDateTimeOffset() ?? default;

    /// <summary>Counts the writes, from 1.</summary>
    public long Revision => Message.Revision;

    /// <summary>Names the revision; send it back to write only if nobody else did in between.</summary>
    public string Etag => Message.Etag;

    /// <summary>The documents that <c>expand</c> found.</summary>
    public IReadOnlyList<RelatedDocument> Related =>
        [.. Message.Related.Select(related => new RelatedDocument(related.Via, new Document<JsonObject>(related.Document, _json)))];

    /// <summary>The document as it is on the wire.</summary>
    public Document Message { get; }

    /// <summary>The same document with a body of another type.</summary>
    /// <typeparam name="TOther">The type.</typeparam>
    public Document<TOther> As<TOther>() => new(Message, _json);
}

/// <summary>A document reached by <c>expand</c>.</summary>
/// <param name="Via">The hop that led here, for example <c>author</c> or <c>~comment_on</c>.</param>
/// <param name="Document">The document; <see cref="Document{T}.As{TOther}"/> gives its body a type.</param>
public sealed record RelatedDocument(string Via, Document<JsonObject> Document);

/// <summary>Some documents of a query.</summary>
/// <typeparam name="T">What their bodies are.</typeparam>
/// <param name="Documents">The documents.</param>
/// <param name="NextPageToken">For the next page; empty on the last one.</param>
public sealed record Page<T>(IReadOnlyList<Document<T>> Documents, string NextPageToken);
