using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Where a page of search results goes on.</summary>
internal sealed record SearchPlace(double Rank, Guid Id)
{
    /// <summary>As it travels inside a page token.</summary>
    public byte[] ToBytes() => [.. BitConverter.GetBytes(Rank), .. Id.ToByteArray()];

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    public static SearchPlace Read(byte[] bytes) => new(BitConverter.ToDouble(bytes), new Guid(bytes.AsSpan(8)));
}

/// <summary>Finds documents by their words.</summary>
internal sealed class SearchStore(Database database)
{
    /// <summary>A page of documents with their places, best first; null when the collection has no text index in use.</summary>
    public async Task<IReadOnlyList<(DocumentRow Row, SearchPlace Place)>?> SearchAsync(
        Caller caller, DocumentQuery query, string words, int limit, SearchPlace? after, RowBudget<(DocumentRow Row, SearchPlace Place)> budget,
        CancellationToken cancellationToken)
    {
        List<Sql> where = [$"d.delete_time is null", SqlFilter.Compile(query.Filter), .. Scope(query.Scope)];
        if (after is { } place)
        {
            where.Add($"(s.rank::float8, d.id) < ({place.Rank}, {place.Id})");
        }

        var batch = database.CreateBatch(caller.ToRequestContext(), Access.Read);
        var serving = batch.QueryFirst(
            $"select true from vibe.field_index i where i.collection = {query.Collection} and i.kind = 2 and i.serving limit 1", static row => row.GetBoolean(0));
        var found = batch.Query(
            $"""
            select {DocumentRow.Columns}, s.rank::float8
            from vibe.search({query.Collection}, {words}) s join vibe.documents d on d.id = s.id
            where {Sql.Join($" and ", where)}
            order by s.rank::float8 desc, d.id desc limit {limit}
            """,
            static row =>
            {
                var document = DocumentRow.Read(row);
                return (document, new SearchPlace(row.GetDouble(DocumentRow.ColumnCount), document.Id));
            },
            budget);
        await batch.RunAsync(cancellationToken);
        return serving.Value ? found.Value : null;
    }

    private static Sql[] Scope(DocumentScope scope) => scope switch
    {
        DocumentScope.Own => [$"d.owner_did = vibe.me()"],
        DocumentScope.Public => [$"d.audience = 2"],
        DocumentScope.Shared => [$"d.owner_did is distinct from vibe.me()", $"d.audience < 2"],
        _ => [],
    };
}
