using Google.Protobuf.WellKnownTypes;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents.FieldIndexes;

/// <summary>A field index as it is stored.</summary>
internal sealed record FieldIndexRow
{
    /// <summary><c>kind</c> of a value index.</summary>
    public const int Value = 1;

    /// <summary><c>kind</c> of a text index.</summary>
    public const int Text = 2;

    /// <summary>The columns of a row <c>i</c> that <see cref="Read"/> expects, in its order.</summary>
    public static readonly Sql Columns = $"""
        i.collection, i.path, i.kind, i.state, i.documents_done, i.documents_total, i.use_count, i.last_use_time, i.suggested_by,
        i.create_time, i.error, i.suggestion_count
        """;

    public required string Collection { get; init; }

    public required string Path { get; init; }

    public required int Kind { get; init; }

    public required int State { get; init; }

    public required long Done { get; init; }

    public required long Total { get; init; }

    public required long UseCount { get; init; }

    public required DateTimeOffset? LastUseTime { get; init; }

    public required string SuggestedBy { get; init; }

    public required DateTimeOffset CreateTime { get; init; }

    public required string Error { get; init; }

    public required long SuggestionCount { get; init; }

    /// <summary>Reads a row of <see cref="Columns"/>.</summary>
    public static FieldIndexRow Read(Row row) => new()
    {
        Collection = row.GetString(0),
        Path = row.GetString(1),
        Kind = row.GetInt32(2),
        State = row.GetInt32(3),
        Done = row.GetInt64(4),
        Total = row.GetInt64(5),
        UseCount = row.GetInt64(6),
        LastUseTime = row.GetTimestampOrNull(7),
        SuggestedBy = row.GetString(8),
        CreateTime = row.GetTimestamp(9),
        Error = row.GetString(10),
        SuggestionCount = row.GetInt64(11),
    };

    /// <summary>As the contract shows it.</summary>
    public FieldIndex ToProto() => new()
    {
        Collection = Collection,
        Path = Path,
        Kind = (FieldIndex.Types.Kind)Kind,
        State = (FieldIndex.Types.State)State,
        DocumentsDone = Done,
        DocumentsTotal = Total,
        UseCount = UseCount,
        LastUseTime = LastUseTime is { } time ? Timestamp.FromDateTimeOffset(time) : null,
        SuggestedBy = SuggestedBy,
        CreateTime = Timestamp.FromDateTimeOffset(CreateTime),
        Error = Error,
        SuggestionCount = SuggestionCount,
    };
}
