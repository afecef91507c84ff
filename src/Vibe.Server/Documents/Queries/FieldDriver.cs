using System.Collections.Immutable;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// The field index a query starts from: the one whose entries are read, in index order, instead of the documents. The
/// conditions only narrow (an entry holds the first 500 code points of a string); the filter itself stays.
/// </summary>
/// <param name="Path">The indexed field.</param>
/// <param name="Conditions">On <c>d.f_rank</c>, <c>d.f_num</c> and <c>d.f_str</c>, all leakproof; empty when only the order needs the index.</param>
internal sealed record FieldDriver(FieldPath Path, ImmutableArray<Sql> Conditions)
{
    /// <summary>
    /// Chooses: a condition on the field that leads the order, an equality, the order, a range; null when no index helps.
    /// </summary>
    /// <param name="filter">The canonical filter.</param>
    /// <param name="order">The order; null when any will do.</param>
    /// <param name="ready">The canonical paths of the collection's indexes that are ready.</param>
    public static FieldDriver? Choose(FilterNode filter, DocumentOrder? order, IReadOnlySet<string> ready)
    {
        if (ready.Count == 0)
        {
            return null;
        }

        var narrowing = Conjuncts(filter).OfType<CompareNode>().Where(compare => IsNarrowing(compare) && ready.Contains(compare.Field.Text)).ToList();
        var leading = order?.Keys[0].Field;
        var ordered = leading is { CoreField: CoreField.None } && ready.Contains(leading.Text);
        if (ordered && narrowing.Any(compare => compare.Field.Equals(leading)))
        {
            return On(leading!, narrowing);
        }

        if (narrowing.Find(compare => compare.Op is Operator.Eq or Operator.In) is { } equality)
        {
            return On(equality.Field, narrowing);
        }

        if (ordered)
        {
            return On(leading!, narrowing);
        }

        return narrowing.Count > 0 ? On(narrowing[0].Field, narrowing) : null;
    }

    /// <summary>The conditions that must all be true.</summary>
    public static ImmutableArray<FilterNode> Conjuncts(FilterNode filter) => filter is AndNode all ? all.Nodes : [filter];

    private static FieldDriver On(FieldPath path, List<CompareNode> narrowing) =>
        new(path, [.. narrowing.Where(compare => compare.Field.Equals(path)).SelectMany(ConditionsOf)]);

    private static bool IsNarrowing(CompareNode compare) => compare.Field.CoreField == CoreField.None && compare.Op switch
    {
        Operator.Eq or Operator.Lt or Operator.Le or Operator.Gt or Operator.Ge or Operator.StartsWith => true,
        Operator.In => compare.Items.Length > 0 && compare.Items.All(item => item.Kind == compare.Items[0].Kind)
            && compare.Items[0].Kind is ScalarKind.Text or ScalarKind.Number,
        _ => false,
    };

    // An equality fixes rank, number and text, so that the entries come newest first.
    private static IEnumerable<Sql> ConditionsOf(CompareNode compare) => compare.Op switch
    {
        Operator.In when compare.Items[0].Kind == ScalarKind.Number => [$"d.f_rank = 3", $"d.f_num = any({compare.Items.Numbers()})", $"d.f_str = ''"],
        Operator.In => [$"d.f_rank = 4", $"d.f_num = 0", $"d.f_str = any({compare.Items.Texts().Select(Cut).ToArray()})"],
        Operator.StartsWith => [$"d.f_rank = 4", $"d.f_num = 0", .. Prefix(compare.Value.Text)],
        _ => compare.Value.Kind switch
        {
            ScalarKind.Number => [$"d.f_rank = 3", $"d.f_num {SqlOperators.Symbol(compare.Op)} {compare.Value.Number}", $"d.f_str = ''"],
            ScalarKind.Text => [$"d.f_rank = 4", $"d.f_num = 0", $"d.f_str {SqlOperators.Symbol(Blunt(compare.Op))} {Cut(compare.Value.Text)}"],
            ScalarKind.Bool => Bool(compare.Op, compare.Value.Bool ? OrderRank.True : OrderRank.False),
            _ => [$"d.f_rank = 0", $"d.f_num = 0", $"d.f_str = ''"],
        },
    };

    private static IEnumerable<Sql> Bool(Operator op, int rank) => op == Operator.Eq
        ? [$"d.f_rank = {rank}", $"d.f_num = 0", $"d.f_str = ''"]
        : [$"d.f_rank between 1 and 2", $"d.f_rank {SqlOperators.Symbol(op)} {rank}"];

    private static IEnumerable<Sql> Prefix(string prefix)
    {
        var cut = Cut(prefix);
        return CodePoints.AfterPrefix(cut) is { } end && cut.Length > 0
            ? [$"d.f_str >= {cut}", $"d.f_str < {end}"]
            : [$"d.f_str >= {cut}"];
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
