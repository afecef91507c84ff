using Google.Protobuf;
using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents.FieldIndexes;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Documents;

/// <summary>The documents API: maps requests in, asks the stores, maps answers out. What it does is said in the contract.</summary>
internal sealed class DocumentsService(
    DocumentStore documents, DocumentPages pages, EdgeStore edges, EdgeExpansion expansion, QueryStore queries,
    FieldIndexStore fieldIndexes, DocumentUpkeep upkeep, PageTokens tokens, Consistency consistency, TimeProvider time)
    : Vibe.Documents.V1.DocumentsService.DocumentsServiceBase
{
    private const int MaxBatchGet = 500;

    private static readonly RowBudget<DocumentRow> BatchGetBudget = new(static row => row.Bytes, 16 * 1024 * 1024);

    /// <inheritdoc/>
    public override async Task<CreateDocumentResponse> CreateDocument(CreateDocumentRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var write = new WriteReader(caller, time).Create(request.Document, "document");
        var identity = Fingerprint.Of(request.RequestId, () => Copy(request), static copy => [((CreateDocumentRequest)copy).Document]);
        var row = await WriteAsync(context, write, identity, request.ValidateOnly);
        return new() { Document = row.ToProto(caller) };
    }

    /// <inheritdoc/>
    public override async Task<GetDocumentResponse> GetDocument(GetDocumentRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var id = IdOf(request, caller);
        var mask = ReadMask.Read(request.ReadMask, "readMask");
        var hops = ExpandHop.Read(request.Expand, "expand");
        var row = await documents.FindAsync(caller, id, context.CancellationToken) ?? throw DocumentErrors.NotFound(id);
        var document = row.ToProto(caller, mask);
        if (hops.Count > 0)
        {
            await expansion.ExpandAsync(caller, [(row, document)], hops, context.CancellationToken);
        }

        return new() { Document = document };
    }

    /// <inheritdoc/>
    public override async Task<BatchGetDocumentsResponse> BatchGetDocuments(BatchGetDocumentsRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var mask = ReadMask.Read(request.ReadMask, "readMask");
        if (request.Ids.Count is 0 or > MaxBatchGet)
        {
            throw VibeError.InvalidField("ids", $"has 1 to {MaxBatchGet} ids", "batch.size");
        }

        var ids = request.Ids.Select(static (id, i) => DocumentId.Parse(id, FieldNames.Item("ids", i))).Distinct().ToList();
        var rows = await documents.FindAllAsync(caller, ids, BatchGetBudget, context.CancellationToken);
        if (BatchGetBudget.IsSpentBy(rows))
        {
            throw VibeError.InvalidField("ids", "name documents of 16 MiB and more together: ask for fewer at a time", "batch.bytes");
        }

        var byId = rows.ToDictionary(static row => row.Id);
        return new()
        {
            Documents = { ids.Where(byId.ContainsKey).Select(id => byId[id].ToProto(caller, mask)) },
            Missing = { ids.Where(id => !byId.ContainsKey(id)).Select(static id => id.ToString()) },
        };
    }

    /// <inheritdoc/>
    public override async Task<ListDocumentsResponse> ListDocuments(ListDocumentsRequest request, ServerCallContext context)
    {
        var query = new DocumentQuery
        {
            Collection = DocumentId.CheckCollection(request.Collection, "collection"),
            Scope = request.Scope,
            Filter = QueryReader.Filter(request.Filter, "filter"),
            Order = QueryReader.Order(request.OrderBy, "orderBy"),
        };
        var (list, next) = await pages.ListAsync(
            context.GetCaller(), query, request.PageSize, request.PageToken, request.ReadMask, request.Expand, context.CancellationToken);
        return new() { Documents = { list }, NextPageToken = next };
    }

    /// <inheritdoc/>
    public override async Task<QueryDocumentsResponse> QueryDocuments(QueryDocumentsRequest request, ServerCallContext context)
    {
        var query = new DocumentQuery
        {
            Collection = DocumentId.CheckCollection(request.Collection, "collection"),
            Scope = request.Scope,
            Filter = QueryReader.Filter(request.Filter, "filter"),
            Order = QueryReader.Order(request.OrderBy, "orderBy"),
        };
        var (list, next) = await pages.ListAsync(
            context.GetCaller(), query, request.PageSize, request.PageToken, request.ReadMask, request.Expand, context.CancellationToken);
        return new() { Documents = { list }, NextPageToken = next };
    }

    /// <inheritdoc/>
    public override async Task<UpdateDocumentResponse> UpdateDocument(UpdateDocumentRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var write = WriteReader.Update(
            request.Id, "id", request.Document, "document", request.UpdateMask, "updateMask", request.Etag);
        var identity = Fingerprint.Of(request.RequestId, () => Copy(request), static copy => [((UpdateDocumentRequest)copy).Document]);
        var row = await WriteAsync(context, write, identity, request.ValidateOnly);
        return new() { Document = row.ToProto(caller) };
    }

    /// <inheritdoc/>
    public override async Task<UpsertDocumentResponse> UpsertDocument(UpsertDocumentRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var write = new WriteReader(caller, time).Upsert(Named(request), "document", request.Etag);
        var identity = Fingerprint.Of(request.RequestId, () => Copy(request), static copy => [((UpsertDocumentRequest)copy).Document]);
        var row = await WriteAsync(context, write, identity, request.ValidateOnly);
        return new() { Document = row.ToProto(caller) };
    }

    /// <inheritdoc/>
    public override async Task<DeleteDocumentResponse> DeleteDocument(DeleteDocumentRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var write = WriteReader.Delete(request.Id, "id", request.Etag);
        var identity = Fingerprint.Of(request.RequestId, () => Copy(request), static _ => []);
        await WriteAsync(context, write, identity, request.ValidateOnly);
        return new();
    }

    /// <inheritdoc/>
    public override async Task<BatchWriteDocumentsResponse> BatchWriteDocuments(BatchWriteDocumentsRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var writes = BatchReader.Read(request.Writes, new WriteReader(caller, time));
        var identity = Fingerprint.Of(request.RequestId, () => Copy(request), static copy => ((BatchWriteDocumentsRequest)copy).Writes
            .Select(static write => write.Create ?? write.Upsert ?? write.Update?.Document).OfType<Document>());
        var rows = await documents.WriteAllAsync(caller, writes, identity, keep: !request.ValidateOnly, context.CancellationToken);
        await consistency.StampAsync(context, rows[0].Transaction);
        return new() { Documents = { rows.Select(row => row.ToProto(caller)) } };
    }

    /// <inheritdoc/>
    public override async Task<AggregateDocumentsResponse> AggregateDocuments(AggregateDocumentsRequest request, ServerCallContext context)
    {
        var query = new DocumentQuery
        {
            Collection = DocumentId.CheckCollection(request.Collection, "collection"),
            Scope = request.Scope,
            Filter = QueryReader.Filter(request.Filter, "filter"),
        };
        var columns = AggregateReader.Read(request.Aggregations, "aggregations");
        var (values, isCapped) = await queries.AggregateAsync(context.GetCaller(), query, columns, context.CancellationToken);
        var response = new AggregateDocumentsResponse { Capped = isCapped };
        foreach (var (alias, value) in values)
        {
            response.Values.Add(alias, value);
        }

        return response;
    }

    /// <inheritdoc/>
    public override async Task<ListEdgesResponse> ListEdges(ListEdgesRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var id = DocumentId.Parse(request.Id, "id");
        if (request.Label.Length > 0 && !DocumentEdges.IsLabel(request.Label))
        {
            throw VibeError.InvalidField("label", "is not of the form ^[a-z][a-z0-9_]{0,63}$", "document.edges");
        }

        var direction = request.Direction == Direction.In ? Direction.In : Direction.Out;
        var size = PageSize.Of(request.PageSize, max: 1000);
        var page = new PageQuery(caller, "ListEdges", request.Id, direction.ToString(), request.Label);
        var after = request.PageToken.Length == 0 ? null : EdgePlace.Read(tokens.Open(page, request.PageToken));
        var rows = await edges.ListAsync(caller, id, direction, request.Label, request.IncludeDocuments, size + 1, after, context.CancellationToken)
            ?? throw DocumentErrors.NotFound(id);
        return new()
        {
            Edges =
            {
                rows.Take(size).Select(row => new ListEdgesResponse.Types.Entry
                {
                    Source = row.Source.ToString(),
                    Label = row.Label,
                    Target = row.Target.ToString(),
                    Document = row.FarEnd?.ToProto(caller),
                }),
            },
            NextPageToken = rows.Count > size || EdgeStore.Budget.IsSpentBy(rows)
                ? tokens.Issue(page, EdgePlace.After(rows[Math.Min(size, rows.Count) - 1]).ToBytes())
                : "",
        };
    }

    /// <inheritdoc/>
    public override async Task<SearchDocumentsResponse> SearchDocuments(SearchDocumentsRequest request, ServerCallContext context)
    {
        var (list, next) = await pages.SearchAsync(context.GetCaller(), request, context.CancellationToken);
        return new() { Documents = { list }, NextPageToken = next };
    }

    /// <inheritdoc/>
    public override async Task<SuggestFieldIndexResponse> SuggestFieldIndex(SuggestFieldIndexRequest request, ServerCallContext context)
    {
        var row = await fieldIndexes.SuggestAsync(context.GetCaller(), FieldIndexName.Read(request.FieldIndex), context.CancellationToken)
            ?? throw DocumentErrors.TooManySuggestions(FieldIndexStore.MaxPerCollection);
        return new() { FieldIndex = row.ToProto() };
    }

    /// <inheritdoc/>
    public override async Task<ApproveFieldIndexResponse> ApproveFieldIndex(ApproveFieldIndexRequest request, ServerCallContext context)
    {
        var row = await fieldIndexes.ApproveAsync(context.GetCaller(), FieldIndexName.Read(request.FieldIndex), context.CancellationToken)
            ?? throw DocumentErrors.WriteConflict();
        upkeep.Wake();
        return new() { FieldIndex = row.ToProto() };
    }

    /// <inheritdoc/>
    public override async Task<ListFieldIndexesResponse> ListFieldIndexes(ListFieldIndexesRequest request, ServerCallContext context)
    {
        var (rows, next) = await pages.ListFieldIndexesAsync(context.GetCaller(), request, context.CancellationToken);
        return new() { FieldIndexes = { rows.Select(static row => row.ToProto()) }, NextPageToken = next };
    }

    /// <inheritdoc/>
    public override async Task<DropFieldIndexResponse> DropFieldIndex(DropFieldIndexRequest request, ServerCallContext context)
    {
        var name = FieldIndexName.Read(request.Collection, request.Path, request.Kind, "");
        return await fieldIndexes.DropAsync(context.GetCaller(), name, context.CancellationToken)
            ? new()
            : throw DocumentErrors.FieldIndexNotFound(name.Collection, name.Path, (FieldIndex.Types.Kind)name.Kind);
    }

    private async Task<DocumentRow> WriteAsync(ServerCallContext context, DocumentWrite write, WriteRequest? identity, bool validateOnly)
    {
        var caller = context.GetCaller();
        var row = validateOnly
            ? (await documents.WriteAllAsync(caller, [write], request: null, keep: false, context.CancellationToken))[0]
            : await documents.WriteAsync(caller, write, identity, context.CancellationToken);
        await consistency.StampAsync(context, row.Transaction);
        return row;
    }

    private static Guid IdOf(GetDocumentRequest request, Caller caller)
    {
        if (request.Id.Length > 0 && request.Key.Length > 0)
        {
            throw VibeError.InvalidField("key", "cannot stand beside id", "document.id");
        }

        if (request.Key.Length == 0)
        {
            return DocumentId.Parse(request.Id, "id");
        }

        DocumentId.CheckCollection(request.Collection, "collection");
        DocumentId.CheckKey(request.Key, "key");
        var owner = request.Owner.Length > 0 ? request.Owner
            : caller.Did ?? throw VibeError.InvalidField("owner", "is required of a signed-out visitor", "document.required");
        return DocumentId.OfKey(owner, request.Collection, request.Key);
    }

    // A URL names the document outside of the body; a body that names it too must agree.
    private static Document? Named(UpsertDocumentRequest request)
    {
        if (request.Document is not { } document)
        {
            return null;
        }

        var named = document.Clone();
        named.Id = Same(request.Id, document.Id, "document.id");
        named.Collection = Same(request.Collection, document.Collection, "document.collection");
        named.Key = Same(request.Key, document.Key, "document.key");
        return named;
    }

    private static string Same(string outer, string inner, string field) =>
        outer.Length == 0 ? inner
        : inner.Length == 0 || inner == outer ? outer
        : throw VibeError.InvalidField(field, "is not what the request names", "document.id");

    private static IMessage Copy<T>(T request)
        where T : IDeepCloneable<T>, IMessage
    {
        var copy = request.Clone();
        copy.Descriptor.FindFieldByName("request_id").Accessor.Clear(copy);
        return copy;
    }
}
