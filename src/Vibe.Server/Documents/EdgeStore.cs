using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>One edge with the document at its far end, as far as that was asked for and may be read.</summary>
internal sealed record EdgeRow(Guid Source, string Label, Guid Target, DateTimeOffset CreateTime, DocumentRow? FarEnd);

/// <summary>Where a page of edges goes on. Outgoing edges all have the time and source of their document.</summary>
internal sealed record EdgePlace(DateTimeOffset CreateTime, Guid Source, string Label, Guid Target)
{
    /// <summary>Where the first page of incoming edges starts: after every time there can be.</summary>
    public static readonly EdgePlace BeforeAll = new(new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero), Guid.Empty, "", Guid.Empty);

    /// <summary>The place after an edge.</summary>
    public static EdgePlace After(EdgeRow edge) => new(edge.CreateTime, edge.Source, edge.Label, edge.Target);

    /// <summary>As it travels inside a page token.</summary>
    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(CreateTime.UtcTicks);
        writer.Write(Source.ToByteArray());
        writer.Write(Label);
        writer.Write(Target.ToByteArray());
        return bytes.ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    public static EdgePlace Read(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        return new EdgePlace(new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero), new Guid(reader.ReadBytes(16)), reader.ReadString(), new Guid(reader.ReadBytes(16)));
    }
}

/// <summary>
/// Reads the edges of a document: outgoing ones from the document, incoming ones through <c>vibe.edges_in</c>, which shows
/// those of readable documents.
/// </summary>
internal sealed class EdgeStore(Database database)
{
    /// <summary>What the documents of a page weigh at most: it ends early then.</summary>
    public static readonly RowBudget<EdgeRow> Budget = new(static row => row.FarEnd?.Bytes ?? 0, 4 * 1024 * 1024);

    /// <summary>A page of edges; null when the caller may not see the document.</summary>
    public async Task<IReadOnlyList<EdgeRow>?> ListAsync(
        Caller caller, Guid id, Direction direction, string label, bool withDocuments, int limit, EdgePlace? after, CancellationToken cancellationToken)
    {
        var batch = database.CreateBatch(caller.ToRequestContext(), Access.Read);
        var exists = batch.QueryFirst(
            $"select true from vibe.documents d where d.id = {id} and d.delete_time is null", static row => row.GetBoolean(0));
        Func<Row, EdgeRow> read = withDocuments ? static row => Read(row, hasDocument: true) : static row => Read(row, hasDocument: false);
        var edges = batch.Query(
            direction == Direction.In ? Incoming(id, label, withDocuments, limit, after) : Outgoing(id, label, withDocuments, limit, after),
            read,
            Budget);
        await batch.RunAsync(cancellationToken);
        return exists.Value ? edges.Value : null;
    }

    private static Sql Incoming(Guid id, string label, bool withDocuments, int limit, EdgePlace? after)
    {
        var start = after ?? EdgePlace.BeforeAll;
        return $"""
            select {Columns(withDocuments)}
            from vibe.edges_in({id}, {(label.Length == 0 ? null : label)}, {start.CreateTime}, {start.Source}, {start.Label}, {limit}) e
              {FarEnd(withDocuments, $"e.source_id")}
            order by e.create_time desc, e.source_id desc, e.label desc
            """;
    }

    private static Sql Outgoing(Guid id, string label, bool withDocuments, int limit, EdgePlace? after)
    {
        List<Sql> where = [$"s.id = {id}", $"s.delete_time is null"];
        if (label.Length > 0)
        {
            where.Add($"n.label = {label}");
        }

        if (after is not null)
        {
            where.Add($"(n.label collate \"C\", n.target) > ({after.Label}, {after.Target})");
        }

        return $"""
            select {Columns(withDocuments)}
            from (select s.id as source_id, n.label, n.target as target_id, s.create_time
                  from vibe.documents s cross join lateral jsonb_to_recordset(s.edges) n(label text, target uuid)
                  where {Sql.Join($" and ", where)}
                  order by n.label collate "C", n.target limit {limit}) e
              {FarEnd(withDocuments, $"e.target_id")}
            order by e.label collate "C", e.target_id
            """;
    }

    private static Sql Columns(bool withDocuments) => withDocuments
        ? (Sql)$"{DocumentRow.Columns}, e.source_id, e.label, e.target_id, e.create_time"
        : $"e.source_id, e.label, e.target_id, e.create_time";

    private static Sql FarEnd(bool withDocuments, Sql column) => withDocuments
        ? (Sql)$"left join vibe.documents d on d.id = {column} and d.delete_time is null"
        : Sql.Empty;

    private static EdgeRow Read(Row row, bool hasDocument)
    {
        var first = hasDocument ? DocumentRow.ColumnCount : 0;
        return new EdgeRow(
            row.GetGuid(first), row.GetString(first + 1), row.GetGuid(first + 2), row.GetTimestamp(first + 3),
            hasDocument && !row.IsNull(0) ? DocumentRow.Read(row) : null);
    }
}
