using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// Filters as boolean SQL over a row <c>d</c> of <c>vibe.documents</c>. Never NULL, so that NOT means the same as in
/// <see cref="FilterEvaluator"/>. Every value and every JSON key is a parameter; equal shapes give equal texts.
/// </summary>
internal static class SqlFilter
{
    /// <summary>The condition.</summary>
    public static Sql Compile(FilterNode node) => node switch
    {
        AndNode { Nodes.IsEmpty: true } => $"true",
        OrNode { Nodes.IsEmpty: true } => $"false",
        AndNode all => $"({Sql.Join($" and ", all.Nodes.Select(Compile))})",
        OrNode any => $"({Sql.Join($" or ", any.Nodes.Select(Compile))})",
        NotNode no => $"not {Compile(no.Node)}",
        CompareNode { Op: Operator.Ne } ne => $"not {Compile(new CompareNode(ne.Field, Operator.Eq, ne.Value, []))}",
        _ => Compile((CompareNode)node),
    };

    /// <summary>The jsonb at a path into the body; NULL when absent. Text keys never index arrays.</summary>
    public static Sql ValueAt(FieldPath path)
    {
        Sql value = $"d.data";
        foreach (var key in path.Keys)
        {
            value = $"({value} -> {key})";
        }

        return value;
    }

    private static Sql Compile(CompareNode compare) => compare.Field.CoreField switch
    {
        CoreField.None => SqlJsonComparison.Compile(compare, ValueAt(compare.Field)),
        CoreField.Id => CompareId(compare),
        CoreField.Collection => CompareText(compare, $"d.collection"),
        CoreField.Owner => CompareText(compare, $"d.owner_did"),
        CoreField.App => Present($"coalesce(d.app_did, '') <> ''", CompareText(compare, $"d.app_did")),
        CoreField.Key => Present($"d.key is not null", CompareText(compare, $"d.key")),
        CoreField.CreateTime => CompareTime(compare, $"d.create_time"),
        CoreField.UpdateTime => CompareTime(compare, $"d.update_time"),
        _ => CompareRevision(compare),
    };

    // False, not NULL, when the column is NULL; and still a plain comparison that an index can serve.
    private static Sql Present(Sql isPresent, Sql comparison) => $"({isPresent} and {comparison})";

    private static Sql CompareText(CompareNode compare, Sql column) => compare.Op switch
    {
        Operator.Exists => $"true",
        Operator.Contains => $"false",
        Operator.In => SqlOperators.In(column, compare.Items.Texts()),
        _ when compare.Value.Kind != ScalarKind.Text => $"false",
        Operator.Match => SqlOperators.Match(column, compare.Words),
        _ => SqlOperators.Text(compare.Op, column, compare.Value.Text),
    };

    // Ids compare as their text does; only those in canonical form can be equal to one, and those use the primary key.
    private static Sql CompareId(CompareNode compare)
    {
        switch (compare.Op)
        {
            case Operator.In:
                var ids = compare.Items.Texts().Select(AsId).OfType<Guid>().ToArray();
                return $"d.id = any({ids})";
            case Operator.Eq or Operator.Lt or Operator.Le or Operator.Gt or Operator.Ge when AsId(compare.Value.Text) is { } id:
                return $"d.id {SqlOperators.Symbol(compare.Op)} {id}";
            case Operator.Eq:
                return $"false";
            default:
                return CompareText(compare, $"d.id::text");
        }
    }

    private static Guid? AsId(string text) =>
        Guid.TryParseExact(text, "D", out var id) && id.ToString() == text ? id : null;

    private static Sql CompareTime(CompareNode compare, Sql column)
    {
        switch (compare.Op)
        {
            case Operator.Exists:
                return $"true";
            case Operator.In:
                var times = compare.Items.Where(item => item.Kind == ScalarKind.Time).Select(item => Timestamp(item.Microseconds)).ToArray();
                return $"{column} = any({times})";
            case Operator.Eq or Operator.Lt or Operator.Le or Operator.Gt or Operator.Ge when compare.Value.Kind == ScalarKind.Time:
                return $"{column} {SqlOperators.Symbol(compare.Op)} {Timestamp(compare.Value.Microseconds)}";
            default:
                return $"false";
        }
    }

    private static Sql CompareRevision(CompareNode compare) => compare.Op switch
    {
        Operator.Exists => $"true",
        Operator.In => $"d.revision::float8 = any({compare.Items.Numbers()})",
        Operator.Eq or Operator.Lt or Operator.Le or Operator.Gt or Operator.Ge when compare.Value.Kind == ScalarKind.Number =>
            $"d.revision::float8 {SqlOperators.Symbol(compare.Op)} {compare.Value.Number}",
        _ => $"false",
    };

    private static DateTimeOffset Timestamp(long microseconds) => new(TimeText.ToDateTime(microseconds));
}
