using System.Collections.Immutable;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents.Queries;

/// <summary>The operators of the filter language as SQL over an expression of a known type that is not NULL.</summary>
internal static class SqlOperators
{
    /// <summary>EQ, LT, LE, GT or GE.</summary>
    public static Sql Symbol(Operator op) => op switch
    {
        Operator.Eq => $"=",
        Operator.Lt => $"<",
        Operator.Le => $"<=",
        Operator.Gt => $">",
        _ => $">=",
    };

    /// <summary>EQ, LT, LE, GT, GE or STARTS_WITH on a text.</summary>
    public static Sql Text(Operator op, Sql text, string value) => op switch
    {
        // Equality is of bytes under every collation a database can have; without COLLATE the column's index fits.
        Operator.Eq => $"{text} = {value}",
        Operator.StartsWith => $"starts_with({text}, {value})",
        _ => $"{text} collate \"C\" {Symbol(op)} {value}",
    };

    /// <summary>IN on a text.</summary>
    public static Sql In(Sql text, string[] values) => $"{text} = any({values})";

    /// <summary>
    /// MATCH on a text. Under the collation "C" only ASCII letters have a lower case; the separators are all of ASCII
    /// that is neither letter nor digit. Cutting a text into words is dear, so one word is looked for first.
    /// </summary>
    public static Sql Match(Sql text, WordSet words) => words.Words.Length == 0
        ? $"true"
        : (Sql)$"""
            (strpos(lower({text} collate "C"), {words.Longest}) > 0
              and regexp_split_to_array(lower({text} collate "C"), '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f]+') @> {words.Words})
            """;

    /// <summary>The strings among the values.</summary>
    public static string[] Texts(this ImmutableArray<JsonScalar> values) =>
        [.. values.Where(value => value.Kind == ScalarKind.Text).Select(value => value.Text)];

    /// <summary>The numbers among the values.</summary>
    public static double[] Numbers(this ImmutableArray<JsonScalar> values) =>
        [.. values.Where(value => value.Kind == ScalarKind.Number).Select(value => value.Number)];
}
