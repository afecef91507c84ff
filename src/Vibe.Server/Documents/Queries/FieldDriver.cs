using System.Collections.Immutable;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// One field index of a query, whose entries <c>f</c> are read in index order instead of the documents. The conditions
/// only narrow (an entry holds the first 500 code points of a string); the filter itself stays.
/// </summary>
/// <param name="Path">The indexed field.</param>
/// <param name="Conditions">On <c>f.rank</c>, <c>f.num</c> and <c>f.str</c>, all leakproof; empty when only the order needs the index.</param>
/// <param name="IsOneValue">Whether rank, number and text are fixed, so that the entries come by creation time.</param>
/// <param name="IsWholeFilter">Whether the conditions say all that the filter does.</param>
internal sealed record FieldDriver(FieldPath Path, ImmutableArray<Sql> Conditions, bool IsOneValue, bool IsWholeFilter)
{
    /// <summary><c>f.path = …</c>; one fragment, so that all uses share the parameter.</summary>
    public Sql PathCondition { get; } = $"f.path = {Path.Text}";

    /// <summary>Drivers for the indexed fields on which the filter has conditions, those with an equality first.</summary>
    /// <param name="filter">The canonical filter.</param>
    /// <param name="ready">The canonical paths of the collection's indexes that are ready.</param>
    public static ImmutableArray<FieldDriver> Narrowing(FilterNode filter, IReadOnlySet<string> ready) => ready.Count == 0 ? [] :
    [
        .. Conjuncts(filter).OfType<CompareNode>().Where(compare => IsNarrowing(compare) && ready.Contains(compare.Field.Text))
            .GroupBy(static compare => compare.Field)
            .OrderBy(static group => group.Min(Width))
            .Select(group => new FieldDriver(
                group.Key, [.. group.SelectMany(ConditionsOf)], group.Any(static compare => compare.Op == Operator.Eq),
                IsWholeFilter: group.All(IsExact) && group.Count() == Conjuncts(filter).Length)),
    ];

    /// <summary>The conditions that must all be true.</summary>
    public static ImmutableArray<FilterNode> Conjuncts(FilterNode filter) => filter is AndNode all ? all.Nodes : [filter];

    private static int Width(CompareNode compare) => compare.Op switch
    {
        Operator.Eq => 0,
        Operator.In => 1,
        _ => 2,
    };

    private static bool IsNarrowing(CompareNode compare) => compare.Field.CoreField == CoreField.None && compare.Op switch
    {
        Operator.Eq or Operator.Lt or Operator.Le or Operator.Gt or Operator.Ge or Operator.StartsWith => true,
        Operator.In => compare.Items.Length > 0 && compare.Items.All(item => item.Kind == compare.Items[0].Kind)
            && compare.Items[0].Kind is ScalarKind.Text or ScalarKind.Number,
        _ => false,
    };

    // A string shorter than the cut compares with what was cut off as with the whole. Rank 0 is shared by null and others.
    private static bool IsExact(CompareNode compare) => compare.Op switch
    {
        Operator.In => compare.Items.All(static item => item.Kind == ScalarKind.Number || IsShort(item.Text)),
        _ => compare.Value.Kind switch
        {
            ScalarKind.Text => IsShort(compare.Value.Text),
            var kind => kind is ScalarKind.Number or ScalarKind.Bool,
        },
    };

    private static bool IsShort(string text) => text.Length < QueryLimits.OrderedCodePoints;

    private static IEnumerable<Sql> ConditionsOf(CompareNode compare) => compare.Op switch
    {
        Operator.In when compare.Items[0].Kind == ScalarKind.Number => [$"f.rank = 3", $"f.num = any({compare.Items.Numbers()})", $"f.str = ''"],
        Operator.In => [$"f.rank = 4", $"f.num = 0", $"f.str = any({compare.Items.Texts().Select(Cut).ToArray()})"],
        Operator.StartsWith => [$"f.rank = 4", $"f.num = 0", .. Prefix(compare.Value.Text)],
        _ => compare.Value.Kind switch
        {
            ScalarKind.Number => [$"f.rank = 3", $"f.num {SqlOperators.Symbol(compare.Op)} {compare.Value.Number}", $"f.str = ''"],
            ScalarKind.Text => [$"f.rank = 4", $"f.num = 0", $"f.str {SqlOperators.Symbol(IsExact(compare) ? compare.Op : Blunt(compare.Op))} {Cut(compare.Value.Text)}"],
            ScalarKind.Bool => Bool(compare.Op, compare.Value.Bool ? OrderRank.True : OrderRank.False),
            _ => [$"f.rank = 0", $"f.num = 0", $"f.str = ''"],
        },
    };

    private static IEnumerable<Sql> Bool(Operator op, int rank) => op == Operator.Eq
        ? [$"f.rank = {rank}", $"f.num = 0", $"f.str = ''"]
        : [$"f.rank between 1 and 2", $"f.rank {SqlOperators.Symbol(op)} {rank}"];

    private static IEnumerable<Sql> Prefix(string prefix)
    {
        var cut = Cut(prefix);
        return CodePoints.AfterPrefix(cut) is { } end && cut.Length > 0
            ? [$"f.str >= {cut}", $"f.str < {end}"]
            : [$"f.str >= {cut}"];
    }

    // Two strings that differ may be equal where they are cut off.
    private static Operator Blunt(Operator op) => op switch
    {
        Operator.Lt => Operator.Le,
        Operator.Gt => Operator.Ge,
        _ => op,
    };

    private static string Cut(string text) => CodePoints.Take(text, QueryLimits.OrderedCodePoints);
}
