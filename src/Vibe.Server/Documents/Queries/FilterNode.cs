using System.Collections.Immutable;
using Vibe.Documents.V1;

namespace Vibe.Server.Documents.Queries;

/// <summary>A condition on one document: true or false, never unknown. See query.proto for what it means.</summary>
internal abstract class FilterNode
{
    /// <summary>True for every document.</summary>
    public static readonly FilterNode True = new AndNode([]);

    /// <summary>False for every document.</summary>
    public static readonly FilterNode False = new OrNode([]);

    private protected FilterNode()
    {
    }
}

/// <summary>All of these; true when empty.</summary>
internal sealed class AndNode(ImmutableArray<FilterNode> nodes) : FilterNode
{
    public ImmutableArray<FilterNode> Nodes { get; } = nodes;
}

/// <summary>At least one of these; false when empty.</summary>
internal sealed class OrNode(ImmutableArray<FilterNode> nodes) : FilterNode
{
    public ImmutableArray<FilterNode> Nodes { get; } = nodes;
}

/// <summary>Not this.</summary>
internal sealed class NotNode(FilterNode node) : FilterNode
{
    public FilterNode Node { get; } = node;
}

/// <summary>Compares one field with a value. Made by <see cref="ComparisonRules"/>, so the value fits the operator.</summary>
internal sealed class CompareNode(FieldPath field, Operator op, JsonScalar? value, ImmutableArray<JsonScalar> items) : FilterNode
{
    /// <summary>The field.</summary>
    public FieldPath Field { get; } = field;

    /// <summary>The operator; never NE in canonical form.</summary>
    public Operator Op { get; } = op;

    /// <summary>The value of every operator but IN and EXISTS.</summary>
    public JsonScalar Value { get; } = value ?? JsonScalar.Null;

    /// <summary>The values of IN.</summary>
    public ImmutableArray<JsonScalar> Items { get; } = items;

    /// <summary>The words of a MATCH.</summary>
    public WordSet Words { get; } = op == Operator.Match ? WordSet.Of(value!.Utf8) : WordSet.Empty;
}
