using System.Collections.Immutable;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// One field index of a query, whose entries <c>f</c> are read in index order instead of the documents. The conditions
/// only narrow (an entry holds the first 500 code points of a string); the filter itself stays.
/// </summary>
/// <param name="Index">The index.</param>
/// <param name="Said">The comparisons of the filter that the conditions come from; empty when only the order needs the index.</param>
/// <param name="Equalities">How many fields are compared for equality.</param>
/// <param name="Conditions">On <c>f.path</c>, <c>f.grp</c>, <c>f.rank</c>, <c>f.num</c> and <c>f.str</c>, all leakproof.</param>
/// <param name="IsOneValue">Whether group, rank, number and text are fixed, so that the entries come by creation time.</param>
/// <param name="IsWholeFilter">Whether the conditions say all that the filter does.</param>
internal sealed record FieldDriver(
    IndexedFields Index, ImmutableArray<CompareNode> Said, int Equalities, ImmutableArray<Sql> Conditions, bool IsOneValue, bool IsWholeFilter)
{
    /// <summary>
    /// Drivers for the indexes that the filter has conditions for, those with most equalities first, then lists, then ranges.
    /// </summary>
    /// <param name="filter">The canonical filter.</param>
    /// <param name="ready">The collection's indexes that are ready.</param>
    public static ImmutableArray<FieldDriver> Narrowing(FilterNode filter, ImmutableArray<IndexedFields> ready)
    {
        if (ready.IsEmpty)
        {
            return [];
        }

        var conjuncts = Conjuncts(filter);
        var compares = conjuncts.OfType<CompareNode>().Where(IsNarrowing).ToList();
        return
        [
            .. ready.Select(index => Of(index, compares, conjuncts.Length)).OfType<FieldDriver>()
                .Where(static driver => !driver.Said.IsEmpty)
                .OrderByDescending(static driver => driver.Equalities)
                .ThenBy(static driver => driver.Said.Min(Width))
                .ThenBy(driver => driver.Said.Min(compares.IndexOf))
                .ThenBy(static driver => driver.Index.Equal.Length),
        ];
    }

    /// <summary>The driver for an index; null when the filter does not fix all fields before its last.</summary>
    public static FieldDriver? Of(IndexedFields index, FilterNode filter)
    {
        var conjuncts = Conjuncts(filter);
        return Of(index, [.. conjuncts.OfType<CompareNode>().Where(IsNarrowing)], conjuncts.Length);
    }

    /// <summary>Whether another driver says all that this one does.</summary>
    public bool IsCoveredBy(FieldDriver other) => Said.All(other.Said.Contains);

    /// <summary>The conditions that must all be true.</summary>
    public static ImmutableArray<FilterNode> Conjuncts(FilterNode filter) => filter is AndNode all ? all.Nodes : [filter];

    private static FieldDriver? Of(IndexedFields index, List<CompareNode> compares, int conjuncts)
    {
        List<CompareNode> said = [];
        foreach (var field in index.Equal)
        {
            if (compares.Find(compare => compare.Op == Operator.Eq && compare.Field.Equals(field)) is not { } equality)
            {
                return null;
            }

            said.Add(equality);
        }

        var group = FieldGroup.Of(said.Select(static equality => equality.Value));
        var isExact = said.TrueForAll(IsExact) && (said.Count == 0 || group.IsExact);
        var ofLast = compares.FindAll(compare => compare.Field.Equals(index.Last));
        var isOneValue = ofLast.Exists(static compare => compare.Op == Operator.Eq);
        return new FieldDriver(
            index, [.. said, .. ofLast], said.Count + (isOneValue ? 1 : 0),
            [$"f.path = {index.Text}", said.Count == 0 ? $"f.grp = ''" : (Sql)$"f.grp = {group.Text}", .. ofLast.SelectMany(ConditionsOf)],
            isOneValue, IsWholeFilter: isExact && ofLast.TrueForAll(IsExact) && said.Count + ofLast.Count == conjuncts);
    }

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
