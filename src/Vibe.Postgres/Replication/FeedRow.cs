using System.Collections.Frozen;

namespace Vibe.Postgres.Replication;

/// <summary>A row on the change feed, columns by name.</summary>
public sealed class FeedRow
{
    private readonly FrozenDictionary<string, int> _columns;
    private readonly object?[] _values;

    internal FeedRow(FrozenDictionary<string, int> columns, object?[] values)
    {
        _columns = columns;
        _values = values;
    }

    /// <summary>Whether the column is NULL.</summary>
    public bool IsNull(string column) => Value(column) is null;

    /// <summary>A <c>uuid</c> column.</summary>
    public Guid GetGuid(string column) => (Guid)Value(column)!;

    /// <summary>A <c>text</c> column.</summary>
    public string GetString(string column) => (string)Value(column)!;

    /// <summary>A <c>text</c> column, null when NULL.</summary>
    public string? GetStringOrNull(string column) => (string?)Value(column);

    /// <summary>A <c>smallint</c>, <c>integer</c> or <c>bigint</c> column.</summary>
    public long GetInt64(string column) => (long)Value(column)!;

    /// <summary>An <c>xid8</c> column.</summary>
    public ulong GetXid8(string column) => (ulong)Value(column)!;

    /// <summary>A <c>timestamptz</c> column, in UTC.</summary>
    public DateTimeOffset GetTimestamp(string column) => (DateTimeOffset)Value(column)!;

    /// <summary>A <c>timestamptz</c> column in UTC, null when NULL.</summary>
    public DateTimeOffset? GetTimestampOrNull(string column) => (DateTimeOffset?)Value(column);

    /// <summary>A <c>jsonb</c> column as UTF-8 text.</summary>
    public ReadOnlyMemory<byte> GetJson(string column) => (byte[])Value(column)!;

    /// <summary>A <c>text[]</c> column without NULL elements.</summary>
    public string[] GetTextArray(string column) => (string[])Value(column)!;

    /// <summary>A <c>boolean</c> column.</summary>
    public bool GetBoolean(string column) => (bool)Value(column)!;

    internal object? Raw(int column) => _values[column];

    private object? Value(string column) => _values[_columns[column]];
}
