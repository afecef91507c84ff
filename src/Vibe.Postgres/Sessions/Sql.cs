using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;

namespace Vibe.Postgres.Sessions;

/// <summary>
/// A piece of SQL written as an interpolated string: its literal text goes to the server as it stands, every hole becomes a typed
/// parameter (<c>$1</c>, <c>$2</c>, …). There is no way to put a run-time string into the text.
/// </summary>
/// <remarks>
/// A hole holding another <see cref="Sql"/> splices that fragment, so filters are built from parts. The same fragment spliced twice
/// into one statement shares its parameters. Equal shapes give equal texts, which is what automatic preparation keys on.
/// Not thread-safe while being built; a finished piece may be used in any number of statements, one after the other.
/// </remarks>
[InterpolatedStringHandler]
public sealed class Sql
{
    private object[] _parts;
    private int _count;

    /// <summary>Called by the compiler.</summary>
    public Sql(int literalLength, int formattedCount)
    {
        _ = literalLength;
        _parts = new object[(2 * formattedCount) + 1];
    }

    /// <summary>The fragment without text: splicing it changes nothing.</summary>
    public static Sql Empty { get; } = new(0, 0);

    /// <summary>Whether this fragment has no text and no parameters.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>The statement's text, holes as <c>$n</c>. For logs, tests and EXPLAIN; it never contains a value.</summary>
    public override string ToString() => SqlText.Render(this, parameters: null);

    internal ReadOnlySpan<object> Parts => _parts.AsSpan(0, _count);

    /// <summary>Splices <paramref name="fragments"/> with <paramref name="separator"/> (itself literal SQL) between them; empty ones are left out.</summary>
    public static Sql Join(Sql separator, IEnumerable<Sql> fragments)
    {
        ArgumentNullException.ThrowIfNull(fragments);
        var joined = new Sql(0, 4);
        foreach (var fragment in fragments)
        {
            if (fragment.IsEmpty)
            {
                continue;
            }
            if (joined._count > 0)
            {
                joined.Append(separator);
            }
            joined.Append(fragment);
        }
        return joined;
    }

    /// <summary>Called by the compiler with constant text.</summary>
    public void AppendLiteral(string literal) => Append(literal);

    /// <summary>Splices a fragment.</summary>
    public void AppendFormatted(Sql? fragment)
    {
        if (fragment is { IsEmpty: false })
        {
            Append(fragment);
        }
    }

    /// <summary>A <c>text</c> parameter.</summary>
    public void AppendFormatted(string? value) => AppendParameter(value, NpgsqlDbType.Text);

    /// <summary>A <c>uuid</c> parameter.</summary>
    public void AppendFormatted(Guid value) => AppendParameter(value, NpgsqlDbType.Uuid);

    /// <inheritdoc cref="AppendFormatted(Guid)"/>
    public void AppendFormatted(Guid? value) => AppendNullable(value, NpgsqlDbType.Uuid);

    /// <summary>An <c>integer</c> parameter.</summary>
    public void AppendFormatted(int value) => AppendParameter(value, NpgsqlDbType.Integer);

    /// <inheritdoc cref="AppendFormatted(int)"/>
    public void AppendFormatted(int? value) => AppendNullable(value, NpgsqlDbType.Integer);

    /// <summary>A <c>bigint</c> parameter.</summary>
    public void AppendFormatted(long value) => AppendParameter(value, NpgsqlDbType.Bigint);

    /// <inheritdoc cref="AppendFormatted(long)"/>
    public void AppendFormatted(long? value) => AppendNullable(value, NpgsqlDbType.Bigint);

    /// <summary>A <c>boolean</c> parameter.</summary>
    public void AppendFormatted(bool value) => AppendParameter(value, NpgsqlDbType.Boolean);

    /// <inheritdoc cref="AppendFormatted(bool)"/>
    public void AppendFormatted(bool? value) => AppendNullable(value, NpgsqlDbType.Boolean);

    /// <summary>A <c>double precision</c> parameter.</summary>
    public void AppendFormatted(double value) => AppendParameter(value, NpgsqlDbType.Double);

    /// <inheritdoc cref="AppendFormatted(double)"/>
    public void AppendFormatted(double? value) => AppendNullable(value, NpgsqlDbType.Double);

    /// <summary>A <c>timestamptz</c> parameter, microsecond precision.</summary>
    public void AppendFormatted(DateTimeOffset value) => AppendParameter(value.UtcDateTime, NpgsqlDbType.TimestampTz);

    /// <inheritdoc cref="AppendFormatted(DateTimeOffset)"/>
    public void AppendFormatted(DateTimeOffset? value) => AppendNullable(value?.UtcDateTime, NpgsqlDbType.TimestampTz);

    /// <summary>An <c>interval</c> parameter.</summary>
    public void AppendFormatted(TimeSpan value) => AppendParameter(value, NpgsqlDbType.Interval);

    /// <summary>An <c>xid8</c> parameter.</summary>
    public void AppendFormatted(ulong value) => AppendParameter(value, NpgsqlDbType.Xid8);

    /// <inheritdoc cref="AppendFormatted(ulong)"/>
    public void AppendFormatted(ulong? value) => AppendNullable(value, NpgsqlDbType.Xid8);

    /// <summary>A <c>jsonb</c> parameter: JSON text in UTF-8.</summary>
    public void AppendFormatted(ReadOnlyMemory<byte> json) => AppendParameter(json, NpgsqlDbType.Jsonb);

    /// <inheritdoc cref="AppendFormatted(ReadOnlyMemory{byte})"/>
    public void AppendFormatted(ReadOnlyMemory<byte>? json) => AppendNullable(json, NpgsqlDbType.Jsonb);

    /// <inheritdoc cref="AppendFormatted(ReadOnlyMemory{byte})"/>
    public void AppendFormatted(byte[]? json) => AppendParameter(json, NpgsqlDbType.Jsonb);

    /// <summary>A <c>bytea</c> parameter.</summary>
    public void AppendFormatted(Bytea value) => AppendParameter(value.Bytes, NpgsqlDbType.Bytea);

    /// <inheritdoc cref="AppendFormatted(Bytea)"/>
    public void AppendFormatted(Bytea? value) => AppendNullable(value?.Bytes, NpgsqlDbType.Bytea);

    /// <summary>A <c>text[]</c> parameter.</summary>
    public void AppendFormatted(IReadOnlyList<string?>? values) => AppendArray(values, NpgsqlDbType.Text);

    /// <summary>A <c>uuid[]</c> parameter.</summary>
    public void AppendFormatted(IReadOnlyList<Guid>? values) => AppendArray(values, NpgsqlDbType.Uuid);

    /// <summary>An <c>integer[]</c> parameter.</summary>
    public void AppendFormatted(IReadOnlyList<int>? values) => AppendArray(values, NpgsqlDbType.Integer);

    /// <summary>A <c>bigint[]</c> parameter.</summary>
    public void AppendFormatted(IReadOnlyList<long>? values) => AppendArray(values, NpgsqlDbType.Bigint);

    /// <summary>A <c>boolean[]</c> parameter.</summary>
    public void AppendFormatted(IReadOnlyList<bool>? values) => AppendArray(values, NpgsqlDbType.Boolean);

    /// <summary>A <c>double precision[]</c> parameter.</summary>
    public void AppendFormatted(IReadOnlyList<double>? values) => AppendArray(values, NpgsqlDbType.Double);

    /// <summary>A <c>timestamptz[]</c> parameter, microsecond precision.</summary>
    public void AppendFormatted(IReadOnlyList<DateTimeOffset>? values) =>
        AppendArray(values?.Select(static value => value.UtcDateTime).ToArray(), NpgsqlDbType.TimestampTz);

    /// <summary>A <c>jsonb[]</c> parameter: each element is JSON text in UTF-8. For bulk inserts through <c>unnest</c>.</summary>
    public void AppendFormatted(IReadOnlyList<byte[]?>? values) => AppendArray(values, NpgsqlDbType.Jsonb);

    private void AppendNullable<T>(T? value, NpgsqlDbType type)
        where T : struct
    {
        if (value is { } present)
        {
            AppendParameter(present, type);
        }
        else
        {
            Append(new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = type });
        }
    }

    private void AppendArray<T>(IReadOnlyList<T>? values, NpgsqlDbType element) =>
        AppendParameter(values as T[] ?? values?.ToArray(), NpgsqlDbType.Array | element);

    private void AppendParameter<T>(T value, NpgsqlDbType type) =>
        Append(new NpgsqlParameter<T> { TypedValue = value, NpgsqlDbType = type });

    private void Append(object part)
    {
        if (_count == _parts.Length)
        {
            Array.Resize(ref _parts, Math.Max(4, _parts.Length * 2));
        }
        _parts[_count++] = part;
    }
}
