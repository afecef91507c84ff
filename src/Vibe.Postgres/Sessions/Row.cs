using Npgsql;

namespace Vibe.Postgres.Sessions;

/// <summary>One row of a result, columns by position from 0. Valid only inside the delegate it is passed to.</summary>
public readonly struct Row
{
    private readonly NpgsqlDataReader _reader;

    internal Row(NpgsqlDataReader reader) => _reader = reader;

    /// <summary>Number of columns.</summary>
    public int ColumnCount => _reader.FieldCount;

    /// <summary>Whether the column is NULL.</summary>
    public bool IsNull(int column) => _reader.IsDBNull(column);

    /// <summary>A <c>uuid</c> column.</summary>
    public Guid GetGuid(int column) => _reader.GetFieldValue<Guid>(column);

    /// <summary>A <c>uuid</c> column, null when NULL.</summary>
    public Guid? GetGuidOrNull(int column) => IsNull(column) ? null : GetGuid(column);

    /// <summary>A <c>text</c> column.</summary>
    public string GetString(int column) => _reader.GetString(column);

    /// <summary>A <c>text</c> column, null when NULL.</summary>
    public string? GetStringOrNull(int column) => IsNull(column) ? null : GetString(column);

    /// <summary>An <c>integer</c> (or <c>smallint</c>) column.</summary>
    public int GetInt32(int column) => _reader.GetInt32(column);

    /// <summary>A <c>bigint</c> column.</summary>
    public long GetInt64(int column) => _reader.GetInt64(column);

    /// <summary>A <c>boolean</c> column.</summary>
    public bool GetBoolean(int column) => _reader.GetBoolean(column);

    /// <summary>A <c>boolean</c> column, null when NULL.</summary>
    public bool? GetBooleanOrNull(int column) => IsNull(column) ? null : GetBoolean(column);

    /// <summary>A <c>double precision</c> column.</summary>
    public double GetDouble(int column) => _reader.GetDouble(column);

    /// <summary>A <c>timestamptz</c> column, in UTC.</summary>
    public DateTimeOffset GetTimestamp(int column) => _reader.GetFieldValue<DateTimeOffset>(column);

    /// <summary>A <c>timestamptz</c> column in UTC, null when NULL.</summary>
    public DateTimeOffset? GetTimestampOrNull(int column) => IsNull(column) ? null : GetTimestamp(column);

    /// <summary>An <c>xid8</c> column.</summary>
    public ulong GetXid8(int column) => _reader.GetFieldValue<ulong>(column);

    /// <summary>A <c>json</c> or <c>jsonb</c> column as UTF-8 text, owned by the caller.</summary>
    public ReadOnlyMemory<byte> GetJson(int column) => _reader.GetFieldValue<byte[]>(column);

    /// <summary>A <c>json</c> or <c>jsonb</c> column as UTF-8 text, null when NULL.</summary>
    public ReadOnlyMemory<byte>? GetJsonOrNull(int column) =>
        // Without the cast null would be the empty memory, which arrays convert to.
        IsNull(column) ? (ReadOnlyMemory<byte>?)null : GetJson(column);

    /// <summary>A <c>bytea</c> column, owned by the caller.</summary>
    public byte[] GetBytes(int column) => _reader.GetFieldValue<byte[]>(column);

    /// <summary>A <c>text[]</c> column without NULL elements.</summary>
    public string[] GetTextArray(int column) => _reader.GetFieldValue<string[]>(column);

    /// <summary>A <c>uuid[]</c> column.</summary>
    public Guid[] GetGuidArray(int column) => _reader.GetFieldValue<Guid[]>(column);

    /// <summary>A <c>bigint[]</c> column.</summary>
    public long[] GetInt64Array(int column) => _reader.GetFieldValue<long[]>(column);
}
