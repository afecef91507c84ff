using System.Text;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents.FieldIndexes;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Pages of lists and searches: tokens, one row more than the page to know whether there is a next one, expansion.</summary>
internal sealed class DocumentPages(
    QueryStore queries, SearchStore searches, FieldIndexStore fieldIndexes, FieldIndexCatalog catalog, EdgeExpansion expansion, PageTokens tokens)
{
    private const int MaxPage = 1000;
    private const int MaxSearchPage = 200;
    private const int MaxSearchBytes = 1024;

    // A page of large documents ends early: a thousand of the largest would be a gigabyte, for every caller who asks.
    private const long MaxPageBytes = 4 * 1024 * 1024;

    private static readonly RowBudget<(DocumentRow Row, Place Place)> ListBudget = new(static row => row.Row.Bytes, MaxPageBytes);
    private static readonly RowBudget<(DocumentRow Row, SearchPlace Place)> SearchBudget = new(static row => row.Row.Bytes, MaxPageBytes);

    /// <summary>A page of a query, and the token of the next.</summary>
    public async Task<(List<Document> Documents, string Next)> ListAsync(
        Caller caller, DocumentQuery query, int pageSize, string pageToken, IList<string> readMask, IList<string> expand,
        CancellationToken cancellationToken)
    {
        var size = PageSize.Of(pageSize, MaxPage);
        var mask = ReadMask.Read(readMask, "readMask");
        var hops = ExpandHop.Read(expand, "expand");
        var page = query.ForPages(caller, "ListDocuments");
        var after = pageToken.Length == 0 ? null : PlaceBytes.Read(query.Order, tokens.Open(page, pageToken));
        var rows = await queries.ListAsync(caller, query, size + 1, after, ListBudget, cancellationToken);
        var shown = rows.Take(size).Select(row => (row.Row, Document: row.Row.ToProto(caller, mask))).ToList();
        if (hops.Count > 0)
        {
            await expansion.ExpandAsync(caller, shown, hops, cancellationToken);
        }

        var next = rows.Count > size || ListBudget.IsSpentBy(rows) ? tokens.Issue(page, PlaceBytes.Write(rows[Math.Min(size, rows.Count) - 1].Place)) : "";
        return ([.. shown.Select(static row => row.Document)], next);
    }

    /// <summary>A page of a search, and the token of the next.</summary>
    public async Task<(List<Document> Documents, string Next)> SearchAsync(
        Caller caller, SearchDocumentsRequest request, CancellationToken cancellationToken)
    {
        var query = new DocumentQuery
        {
            Collection = DocumentId.CheckCollection(request.Collection, "collection"),
            Scope = request.Scope,
            Filter = QueryReader.Filter(request.Filter, "filter"),
        };
        if (request.Query.Length == 0 || Encoding.UTF8.GetByteCount(request.Query) > MaxSearchBytes || request.Query.Contains('\0', StringComparison.Ordinal))
        {
            throw VibeError.InvalidField("query", $"has 1 to {MaxSearchBytes} bytes", "search.query");
        }

        var size = PageSize.Of(request.PageSize, MaxSearchPage);
        var mask = ReadMask.Read(request.ReadMask, "readMask");
        var page = new PageQuery(
            caller, "SearchDocuments", query.Collection, query.Scope.ToString(), FilterPrinter.Print(query.Filter), request.Query);
        var after = request.PageToken.Length == 0 ? null : SearchPlace.Read(tokens.Open(page, request.PageToken));
        var rows = await searches.SearchAsync(caller, query, request.Query, size + 1, after, SearchBudget, cancellationToken)
            ?? throw DocumentErrors.TextIndexRequired(query.Collection);
        catalog.CountSearch(query.Collection);
        var next = rows.Count > size || SearchBudget.IsSpentBy(rows) ? tokens.Issue(page, rows[Math.Min(size, rows.Count) - 1].Place.ToBytes()) : "";
        return ([.. rows.Take(size).Select(row => row.Row.ToProto(caller, mask))], next);
    }

    /// <summary>A page of field indexes, and the token of the next.</summary>
    public async Task<(List<FieldIndexRow> Indexes, string Next)> ListFieldIndexesAsync(
        Caller caller, ListFieldIndexesRequest request, CancellationToken cancellationToken)
    {
        if (request.Collection.Length > 0)
        {
            DocumentId.CheckCollection(request.Collection, "collection");
        }

        var size = PageSize.Of(request.PageSize, MaxPage);
        var page = new PageQuery(caller, "ListFieldIndexes", request.Collection);
        (string, string, int)? after = null;
        if (request.PageToken.Length > 0)
        {
            using var reader = new BinaryReader(new MemoryStream(tokens.Open(page, request.PageToken)));
            after = (reader.ReadString(), reader.ReadString(), reader.ReadInt32());
        }

        var rows = await fieldIndexes.ListAsync(caller, request.Collection, size + 1, after, cancellationToken);
        return ([.. rows.Take(size)], rows.Count > size ? tokens.Issue(page, Place(rows[size - 1])) : "");
    }

    private static byte[] Place(FieldIndexRow row)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(row.Collection);
        writer.Write(row.Path);
        writer.Write(row.Kind);
        return bytes.ToArray();
    }
}
