using System.Text.Json;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents.Queries;

namespace Vibe.Server.Documents;

/// <summary>A document as it is stored.</summary>
internal sealed record DocumentRow
{
    /// <summary>The columns of a row <c>d</c> that <see cref="Read"/> expects, in its order.</summary>
    public static readonly Sql Columns =
        $"d.id, d.collection, d.owner_did, d.app_did, d.key, d.data, d.acl, d.edges, d.create_time, d.update_time, d.delete_time, d.revision";

    /// <summary>How many <see cref="Columns"/> there are.</summary>
    public const int ColumnCount = 12;

    public required Guid Id { get; init; }

    public required string Collection { get; init; }

    public required string Owner { get; init; }

    /// <summary>Who wrote the revision; empty when the owner did without an app.</summary>
    public required string App { get; init; }

    public required string? Key { get; init; }

    /// <summary>The body as JSON in UTF-8.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The access rules as JSON, see <see cref="AccessRules"/>.</summary>
    public required ReadOnlyMemory<byte> Acl { get; init; }

    /// <summary>The edges as JSON, see <see cref="DocumentEdges"/>.</summary>
    public required ReadOnlyMemory<byte> Edges { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    public required DateTimeOffset UpdateTime { get; init; }

    /// <summary>Set on a tombstone.</summary>
    public required DateTimeOffset? DeleteTime { get; init; }

    public required long Revision { get; init; }

    /// <summary>About how many bytes it takes in an answer.</summary>
    public long Bytes => Data.Length + Acl.Length + Edges.Length;

    /// <summary>The transaction that wrote it; of a write that was kept only, else 0.</summary>
    public ulong Transaction { get; init; }

    /// <summary>The document as filters and orders see it.</summary>
    /// <param name="body">The body, parsed with <see cref="DocumentView.BodyOptions"/>; undefined on a tombstone.</param>
    public DocumentView ToView(JsonElement body) => new()
    {
        Id = Id,
        Collection = Collection,
        Owner = Owner,
        App = App,
        Key = Key,
        CreateTime = TimeText.FromDateTime(CreateTime.UtcDateTime),
        UpdateTime = TimeText.FromDateTime(UpdateTime.UtcDateTime),
        Revision = Revision,
        Data = body,
    };

    /// <summary>Reads the row of a write, which also has its transaction: <see cref="WriteStatements.Columns"/>.</summary>
    public static DocumentRow ReadWritten(Row row) => Of(row, row.GetXid8(ColumnCount));

    /// <summary>Reads the row of a statement that starts with <see cref="Columns"/>.</summary>
    public static DocumentRow Read(Row row) => Of(row, transaction: 0);

    private static DocumentRow Of(Row row, ulong transaction) => new()
    {
        Id = row.GetGuid(0),
        Collection = row.GetString(1),
        Owner = row.GetString(2),
        App = row.GetString(3),
        Key = row.GetStringOrNull(4),
        Data = row.GetJson(5),
        Acl = row.GetJson(6),
        Edges = row.GetJson(7),
        CreateTime = row.GetTimestamp(8),
        UpdateTime = row.GetTimestamp(9),
        DeleteTime = row.GetTimestampOrNull(10),
        Revision = row.GetInt64(11),
        Transaction = transaction,
    };
}
