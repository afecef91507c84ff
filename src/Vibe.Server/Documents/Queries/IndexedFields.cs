using System.Collections.Immutable;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// The fields of an index on values: those a query compares for equality, if any, and the one by which entries stand in
/// order. Equal when the text is.
/// </summary>
internal sealed class IndexedFields : IEquatable<IndexedFields>
{
    /// <summary>How many fields may stand before the last.</summary>
    public const int MaxEqual = 3;

    /// <param name="fields">The fields, the one that gives the order last; paths into the body, each once.</param>
    public IndexedFields(ImmutableArray<FieldPath> fields)
    {
        Last = fields[^1];
        Equal = [.. fields[..^1].OrderBy(static field => field.Text, StringComparer.Ordinal)];
        Text = string.Join(", ", Equal.Append(Last));
    }

    /// <summary>The fields compared for equality, in one order whatever order they were given in; empty for an index on one field.</summary>
    public ImmutableArray<FieldPath> Equal { get; }

    /// <summary>The field whose values order the entries.</summary>
    public FieldPath Last { get; }

    /// <summary>The canonical text, also the name of the index: <c>data.country, data.name</c>.</summary>
    public string Text { get; }

    /// <summary>The keys of <see cref="Equal"/> after <c>data</c>, a null after each field: what <c>vibe.field_group</c> reads.</summary>
    public IReadOnlyList<string?> EqualKeys => [.. Equal.SelectMany(static path => path.Keys.Append(null!))];

    /// <inheritdoc/>
    public bool Equals(IndexedFields? other) => other is not null && other.Text == Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as IndexedFields);

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(Text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;
}
