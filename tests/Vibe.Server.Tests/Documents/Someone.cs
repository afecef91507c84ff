using System.Text;
using Google.Protobuf;
using Vibe.Documents.V1;
using Vibe.Rpc.Json;
using Vibe.Server.Kernel;
using DocumentsService = Vibe.Server.Documents.DocumentsService;

namespace Vibe.Server.Tests.Documents;

/// <summary>Calls the service as one caller.</summary>
internal sealed class Someone(DocumentsService service, Caller caller)
{
    public Caller Caller => caller;

    public string Did => caller.Did!;

    /// <summary>The same person through an app with other scopes.</summary>
    public Someone With(string scope) => new(service, caller with { Scopes = Scopes.Parse(scope) });

    /// <summary>The same person with other principals.</summary>
    public Someone Holding(IReadOnlyList<string> principals) => new(service, caller with { Principals = [.. principals] });

    /// <summary>The same person with a token of another time.</summary>
    public Someone With(DateTimeOffset issued) => new(service, caller with { IssueTime = issued });

    public FakeCall Call() => new(caller);

    public static ByteString Body(string json) => StructJson.ToStruct(Encoding.UTF8.GetBytes(json));

    public static string Json(Document document)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        StructJson.ToJson(document.Data.Span, buffer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public async Task<Document> CreateAsync(
        string collection, string json = "{}", AccessControl? acl = null, string key = "", string id = "", string requestId = "",
        bool validateOnly = false, params Edge[] edges)
    {
        var document = new Document { Collection = collection, Data = Body(json), Acl = acl, Key = key, Id = id, Edges = { edges } };
        return (await service.CreateDocument(new() { Document = document, RequestId = requestId, ValidateOnly = validateOnly }, Call())).Document;
    }

    public async Task<Document> GetAsync(string id, params string[] expand) =>
        (await service.GetDocument(new() { Id = id, Expand = { expand } }, Call())).Document;

    public async Task<Document> UpdateAsync(
        string id, string? json = null, AccessControl? acl = null, string[]? mask = null, string etag = "", string requestId = "",
        bool validateOnly = false, params Edge[] edges)
    {
        var document = new Document { Acl = acl, Edges = { edges } };
        if (json is not null)
        {
            document.Data = Body(json);
        }

        return (await service.UpdateDocument(
            new()
            {
                Id = id, Document = document, UpdateMask = { mask ?? [] }, Etag = etag, RequestId = requestId, ValidateOnly = validateOnly,
            }, Call())).Document;
    }

    public async Task<Document> UpsertAsync(
        string collection, string json, string key = "", string id = "", AccessControl? acl = null, string etag = "", string requestId = "")
    {
        var document = new Document { Data = Body(json), Acl = acl, Collection = collection };
        return (await service.UpsertDocument(
            new() { Id = id, Key = key, Document = document, Etag = etag, RequestId = requestId }, Call())).Document;
    }

    public Task DeleteAsync(string id, string etag = "", string requestId = "") =>
        service.DeleteDocument(new() { Id = id, Etag = etag, RequestId = requestId }, Call());

    public async Task<IReadOnlyList<Document>> BatchAsync(IEnumerable<Write> writes, string requestId = "", bool validateOnly = false) =>
        (await service.BatchWriteDocuments(new() { Writes = { writes }, RequestId = requestId, ValidateOnly = validateOnly }, Call())).Documents;

    public Task<ListDocumentsResponse> ListAsync(
        string collection, DocumentScope scope = DocumentScope.All, string filter = "", string orderBy = "", int pageSize = 0, string pageToken = "") =>
        service.ListDocuments(
            new() { Collection = collection, Scope = scope, Filter = filter, OrderBy = orderBy, PageSize = pageSize, PageToken = pageToken }, Call());

    public Task<SearchDocumentsResponse> SearchAsync(string collection, string query, int pageSize = 0, string pageToken = "", string filter = "") =>
        service.SearchDocuments(
            new() { Collection = collection, Query = query, Scope = DocumentScope.All, PageSize = pageSize, PageToken = pageToken, Filter = filter }, Call());

    public Task<ListEdgesResponse> EdgesAsync(
        string id, Direction direction, string label = "", bool documents = false, int pageSize = 0, string pageToken = "") =>
        service.ListEdges(
            new() { Id = id, Direction = direction, Label = label, IncludeDocuments = documents, PageSize = pageSize, PageToken = pageToken }, Call());

    /// <summary>Access rules from short lists.</summary>
    public static AccessControl Acl(string[]? read = null, string[]? write = null, string[]? deny = null, string[]? writeDeny = null) => new()
    {
        Read = new AccessRule { Allow = { read ?? [] }, Deny = { deny ?? [] } },
        Write = new AccessRule { Allow = { write ?? [] }, Deny = { writeDeny ?? [] } },
    };
}
