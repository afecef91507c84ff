using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Reads writes from requests, and checks everything that can be checked without the database.</summary>
/// <param name="caller">Who writes.</param>
/// <param name="time">For the ids of new documents.</param>
internal sealed class WriteReader(Caller caller, TimeProvider time)
{
    private readonly string _me = caller.Did ?? throw DocumentErrors.TokenRequired();

    /// <summary>A document to create.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT, SCOPE_REQUIRED.</exception>
    public DocumentWrite Create(Document? document, string field, int? index = null)
    {
        document = Required(document, field);
        var collection = Collection(document.Collection, field, index);
        var key = document.Key.Length == 0 ? null : DocumentId.CheckKey(document.Key, $"{field}.key");
        var id = (document.Id.Length, key) switch
        {
            (0, null) => DocumentId.Create(time),
            (0, not null) => DocumentId.OfKey(_me, collection, key),
            _ => CheckId(DocumentId.Parse(document.Id, $"{field}.id"), collection, key, $"{field}.id"),
        };
        return new DocumentWrite
        {
            Kind = WriteKind.Create,
            Id = id,
            HasNewId = document.Id.Length == 0 && key is null,
            Collection = collection,
            Key = key,
            Data = Body(document, field),
            Acl = Rules(document, field),
            Edges = DocumentEdges.ToJson(document.Edges, $"{field}.edges"),
            Index = index,
            Field = field,
        };
    }

    /// <summary>A change.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static DocumentWrite Update(
        string id, string idField, Document? document, string field, IList<string> updateMask, string maskField, string etag, int? index = null)
    {
        document = Required(document, field);
        var mask = UpdateMask.Read(updateMask, maskField);
        var write = new DocumentWrite
        {
            Kind = WriteKind.Update,
            Id = DocumentId.Parse(id, idField),
            Etag = etag,
            Index = index,
            Field = field,
        };
        return mask is null ? Merge(write, document, field) : Set(write, document, field, mask);
    }

    /// <summary>A document to create or replace, named by its id, or by collection and key.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT, SCOPE_REQUIRED.</exception>
    public DocumentWrite Upsert(Document? document, string field, string etag = "", bool? exists = null, int? index = null)
    {
        document = Required(document, field);
        var collection = Collection(document.Collection, field, index);
        var key = document.Key.Length == 0 ? null : DocumentId.CheckKey(document.Key, $"{field}.key");
        if (key is null && document.Id.Length == 0)
        {
            throw VibeError.InvalidField($"{field}.id", "is required, or a key", "document.id");
        }

        var given = document.Id.Length == 0 ? (Guid?)null : DocumentId.Parse(document.Id, $"{field}.id");
        var id = given ?? DocumentId.OfKey(_me, collection, key!);

        // With the id of somebody else's key, the document can be replaced, but not made.
        var isOwnKey = key is not null && id == DocumentId.OfKey(_me, collection, key);
        if (key is not null && !isOwnKey && !DocumentId.IsKeyed(id))
        {
            throw DocumentErrors.IdOfOtherKey($"{field}.id");
        }

        return new DocumentWrite
        {
            Kind = WriteKind.Upsert,
            Id = id,
            Collection = collection,
            Key = isOwnKey ? key : null,
            Data = Body(document, field),
            Acl = Rules(document, field),
            Edges = Edges(document, field),
            Etag = etag,
            Exists = exists,
            Index = index,
            Field = field,
        };
    }

    /// <summary>A deletion.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static DocumentWrite Delete(string id, string idField, string etag, bool? exists = null, int? index = null) => new()
    {
        Kind = WriteKind.Delete,
        Id = DocumentId.Parse(id, idField),
        Etag = etag,
        Exists = exists,
        Index = index,
    };

    private static DocumentWrite Merge(DocumentWrite write, Document document, string field)
    {
        if (!document.HasData && document.Acl is null && document.Edges.Count == 0)
        {
            throw VibeError.InvalidField(field, "has nothing to change: give data, acl or edges", "document.required");
        }

        return write with
        {
            Data = document.HasData ? Body(document, field) : default(ReadOnlyMemory<byte>?),
            Acl = Rules(document, field),
            Edges = Edges(document, field),
        };
    }

    private static DocumentWrite Set(DocumentWrite write, Document document, string field, UpdateMask mask)
    {
        var data = document.HasData ? DocumentBody.ToJson(document.Data, $"{field}.data") : AccessRules.OwnerOnly;
        var whole = mask.Has("data");
        return write with
        {
            Data = whole ? data : default(ReadOnlyMemory<byte>?),
            ReplacesData = whole,
            Changes = !whole && mask.HasPaths ? mask.Changes(data) : default(ReadOnlyMemory<byte>?),
            Acl = mask.Has("acl") ? Rules(document, field) ?? AccessRules.OwnerOnly : default(ReadOnlyMemory<byte>?),
            Edges = mask.Has("edges") ? DocumentEdges.ToJson(document.Edges, $"{field}.edges") : default(ReadOnlyMemory<byte>?),
        };
    }

    private string Collection(string collection, string field, int? index)
    {
        DocumentId.CheckCollection(collection, $"{field}.collection");
        return caller.Scopes.MayWrite(collection) ? collection : throw DocumentErrors.ScopeRequired(collection, index);
    }

    private Guid CheckId(Guid id, string collection, string? key, string field)
    {
        if (key is not null)
        {
            return id == DocumentId.OfKey(_me, collection, key) ? id : throw DocumentErrors.IdOfOtherKey(field);
        }

        return DocumentId.IsKeyed(id) ? throw DocumentErrors.IdNeedsKey(field) : id;
    }

    private static ReadOnlyMemory<byte> Body(Document document, string field) => document.HasData
        ? DocumentBody.ToJson(document.Data, $"{field}.data")
        : throw VibeError.InvalidField($"{field}.data", "is required", "document.required");

    // A bare `null` beside a ReadOnlyMemory would become an empty one, by way of byte[].
    private static ReadOnlyMemory<byte>? Rules(Document document, string field) =>
        document.Acl is null ? default(ReadOnlyMemory<byte>?) : AccessRules.ToJson(document.Acl, $"{field}.acl");

    private static ReadOnlyMemory<byte>? Edges(Document document, string field) =>
        document.Edges.Count == 0 ? default(ReadOnlyMemory<byte>?) : DocumentEdges.ToJson(document.Edges, $"{field}.edges");

    private static Document Required(Document? document, string field) =>
        document ?? throw VibeError.InvalidField(field, "is required", "document.required");
}
