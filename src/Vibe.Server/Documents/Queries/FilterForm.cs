using System.Collections.Immutable;
using Vibe.Documents.V1;

namespace Vibe.Server.Documents.Queries;

/// <summary>The measure and the canonical form of a filter.</summary>
internal static class FilterForm
{
    /// <summary>Refuses a filter larger than <see cref="QueryLimits"/>.</summary>
    public static void CheckSize(FilterNode node, string field)
    {
        if (Depth(node) > QueryLimits.Depth)
        {
            throw new QuerySyntaxException(field, $"a filter has at most {QueryLimits.Depth} levels", QueryRule.Limit);
        }

        if (Comparisons(node) > QueryLimits.Comparisons)
        {
            throw new QuerySyntaxException(field, $"a filter has at most {QueryLimits.Comparisons} comparisons", QueryRule.Limit);
        }
    }

    /// <summary>
    /// The same condition with nested and/or flattened, double not gone, constants folded, lists of one replaced by
    /// their condition, and NE written as not EQ. Idempotent.
    /// </summary>
    public static FilterNode Canonical(FilterNode node) => node switch
    {
        AndNode all => Flatten(all.Nodes, isAnd: true),
        OrNode any => Flatten(any.Nodes, isAnd: false),
        NotNode no => Negate(Canonical(no.Node)),
        CompareNode { Op: Operator.Ne } ne => new NotNode(new CompareNode(ne.Field, Operator.Eq, ne.Value, [])),
        _ => node,
    };

    private static FilterNode Negate(FilterNode node) => node switch
    {
        NotNode inner => inner.Node,
        AndNode { Nodes.IsEmpty: true } => FilterNode.False,
        OrNode { Nodes.IsEmpty: true } => FilterNode.True,
        _ => new NotNode(node),
    };

    private static FilterNode Flatten(ImmutableArray<FilterNode> nodes, bool isAnd)
    {
        var flat = ImmutableArray.CreateBuilder<FilterNode>(nodes.Length);
        foreach (var node in nodes)
        {
            switch (Canonical(node))
            {
                case AndNode { Nodes.IsEmpty: true } when !isAnd:
                    return FilterNode.True;
                case OrNode { Nodes.IsEmpty: true } when isAnd:
                    return FilterNode.False;
                case AndNode all when isAnd:
                    flat.AddRange(all.Nodes);
                    break;
                case OrNode any when !isAnd:
                    flat.AddRange(any.Nodes);
                    break;
                case var other:
                    flat.Add(other);
                    break;
            }
        }

        return (flat.Count, isAnd) switch
        {
            (0, true) => FilterNode.True,
            (0, false) => FilterNode.False,
            (1, _) => flat[0],
            (_, true) => new AndNode(flat.ToImmutable()),
            _ => new OrNode(flat.ToImmutable()),
        };
    }

    private static int Depth(FilterNode node) => node switch
    {
        AndNode all => 1 + all.Nodes.Select(Depth).DefaultIfEmpty().Max(),
        OrNode any => 1 + any.Nodes.Select(Depth).DefaultIfEmpty().Max(),
        // An NE in disguise is one level.
        NotNode { Node: CompareNode { Op: Operator.Eq } } => 1,
        NotNode no => 1 + Depth(no.Node),
        _ => 1,
    };

    private static int Comparisons(FilterNode node) => node switch
    {
        AndNode all => all.Nodes.Sum(Comparisons),
        OrNode any => any.Nodes.Sum(Comparisons),
        NotNode no => Comparisons(no.Node),
        _ => 1,
    };
}
