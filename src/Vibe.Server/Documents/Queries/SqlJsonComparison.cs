using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// Comparisons of a jsonb value. Each looks at the type first, inside CASE because AND promises no order: a cast of a
/// value of another type would be an error. Numbers compare as the doubles they are for everyone else, not as numeric.
/// </summary>
internal static class SqlJsonComparison
{
    /// <summary>The comparison; <paramref name="value"/> is the jsonb, NULL when absent.</summary>
    public static Sql Compile(CompareNode compare, Sql value) => compare.Op switch
    {
        Operator.Exists => $"{value} is not null",
        Operator.In => CompileIn(compare, value),
        Operator.Contains => Contains(value, compare.Value),
        Operator.Match => IfText(value, SqlOperators.Match(TextOf(value), compare.Words)),
        _ => compare.Value.Kind switch
        {
            ScalarKind.Text => IfText(value, SqlOperators.Text(compare.Op, TextOf(value), compare.Value.Text)),
            ScalarKind.Number => IfNumber(value, $"{value}::float8 {SqlOperators.Symbol(compare.Op)} {compare.Value.Number}"),
            ScalarKind.Bool => IfBool(value, $"{value}::bool {SqlOperators.Symbol(compare.Op)} {compare.Value.Bool}"),
            _ => IsNull(value),
        },
    };

    private static Sql CompileIn(CompareNode compare, Sql value)
    {
        var texts = compare.Items.Texts();
        var numbers = compare.Items.Numbers();
        var bools = compare.Items.Where(item => item.Kind == ScalarKind.Bool).Select(item => item.Bool).ToArray();
        List<Sql> kinds = [];
        if (texts.Length > 0)
        {
            kinds.Add(IfText(value, SqlOperators.In(TextOf(value), texts)));
        }

        if (numbers.Length > 0)
        {
            kinds.Add(IfNumber(value, $"{value}::float8 = any({numbers})"));
        }

        if (bools.Length > 0)
        {
            kinds.Add(IfBool(value, $"{value}::bool = any({bools})"));
        }

        if (compare.Items.Any(item => item.Kind == ScalarKind.Null))
        {
            kinds.Add(IsNull(value));
        }

        return kinds.Count == 0 ? (Sql)$"false" : $"({Sql.Join($" or ", kinds)})";
    }

    private static Sql Contains(Sql value, JsonScalar item) => item.Kind switch
    {
        ScalarKind.Text => IfArray(value, $"{value} ? {item.Text}"),
        ScalarKind.Number => IfArray(value, $"""
            exists (select from jsonb_array_elements({value}) e
                    where case when jsonb_typeof(e.value) = 'number' then e.value::float8 = {item.Number} else false end)
            """),
        ScalarKind.Bool when item.Bool => IfArray(value, $"{value} @> 'true'"),
        ScalarKind.Bool => IfArray(value, $"{value} @> 'false'"),
        _ => IfArray(value, $"{value} @> 'null'"),
    };

    private static Sql TextOf(Sql value) => $"({value} #>> '{{}}')";

    private static Sql IsNull(Sql value) => $"coalesce(jsonb_typeof({value}) = 'null', false)";

    private static Sql IfText(Sql value, Sql then) => $"case when jsonb_typeof({value}) = 'string' then {then} else false end";

    private static Sql IfNumber(Sql value, Sql then) => $"case when jsonb_typeof({value}) = 'number' then {then} else false end";

    private static Sql IfBool(Sql value, Sql then) => $"case when jsonb_typeof({value}) = 'boolean' then {then} else false end";

    private static Sql IfArray(Sql value, Sql then) => $"case when jsonb_typeof({value}) = 'array' then {then} else false end";
}
