using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Vibe.Documents.V1;

namespace Vibe.Server.Documents.Queries;

/// <summary>Writes the text form of a filter. Of a canonical filter, parsing gives the same filter back.</summary>
internal static class FilterPrinter
{
    // How tightly a condition binds.
    private const int Loose = 0;
    private const int InOr = 1;
    private const int InAnd = 2;
    private const int InNot = 3;

    /// <summary>The text.</summary>
    public static string Print(FilterNode node)
    {
        var text = new StringBuilder();
        Print(text, node, Loose);
        return text.ToString();
    }

    /// <summary>A number as ECMAScript writes it, so that every SDK writes the same text.</summary>
    public static string Print(double value)
    {
        // "E16" style text gives the shortest digits that mean this double: d.ddddE+xxx.
        var scientific = value.ToString("R", CultureInfo.InvariantCulture);
        var (digits, point) = Shortest(scientific.TrimStart('-'));
        var sign = value < 0 ? "-" : "";
        if (digits.Length <= point && point <= 21)
        {
            return sign + digits.PadRight(point, '0');
        }

        if (point is > 0 and <= 21)
        {
            return $"{sign}{digits[..point]}.{digits[point..]}";
        }

        if (point is > -6 and <= 0)
        {
            return $"{sign}0.{new string('0', -point)}{digits}";
        }

        var mantissa = digits.Length == 1 ? digits : $"{digits[..1]}.{digits[1..]}";
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{mantissa}e{(point > 0 ? "+" : "")}{point - 1}");
    }

    // The digits without leading and trailing zeros, and where the decimal point stands: 0.ddd × 10^point.
    private static (string Digits, int Point) Shortest(string text)
    {
        var exponent = 0;
        if (text.IndexOf('E', StringComparison.Ordinal) is var e and >= 0)
        {
            exponent = int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            text = text[..e];
        }

        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var point = (dot < 0 ? text.Length : dot) + exponent;
        var all = text.Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        point -= all.Length - digits.Length;
        digits = digits.TrimEnd('0');
        return digits.Length == 0 ? ("0", 1) : (digits, point);
    }

    private static void Print(StringBuilder text, FilterNode node, int around)
    {
        switch (node)
        {
            case AndNode all:
                PrintList(text, all.Nodes, " and ", "true", InAnd, around);
                break;
            case OrNode any:
                PrintList(text, any.Nodes, " or ", "false", InOr, around);
                break;
            case NotNode { Node: CompareNode { Op: Operator.Eq } equal }:
                PrintComparison(text, equal.Field, "!=", equal.Value);
                break;
            case NotNode no:
                text.Append("not ");
                Print(text, no.Node, InNot);
                break;
            case CompareNode compare:
                PrintComparison(text, compare);
                break;
        }
    }

    private static void PrintList(StringBuilder text, ImmutableArray<FilterNode> nodes, string between, string empty, int binding, int around)
    {
        if (nodes.IsEmpty)
        {
            text.Append(empty);
            return;
        }

        var enclosed = around >= binding && nodes.Length > 1;
        text.Append(enclosed ? "(" : "");
        for (var i = 0; i < nodes.Length; i++)
        {
            text.Append(i > 0 ? between : "");
            Print(text, nodes[i], nodes.Length > 1 ? binding : around);
        }

        text.Append(enclosed ? ")" : "");
    }

    private static void PrintComparison(StringBuilder text, CompareNode compare)
    {
        switch (compare.Op)
        {
            case Operator.Exists:
                text.Append("exists ").Append(compare.Field.Text);
                break;
            case Operator.In:
                text.Append(compare.Field.Text).Append(" in [");
                for (var i = 0; i < compare.Items.Length; i++)
                {
                    Print(text.Append(i > 0 ? ", " : ""), compare.Items[i]);
                }

                text.Append(']');
                break;
            default:
                PrintComparison(text, compare.Field, SymbolOf(compare.Op), compare.Value);
                break;
        }
    }

    private static string SymbolOf(Operator op) => op switch
    {
        Operator.Eq => "=",
        Operator.Ne => "!=",
        Operator.Lt => "<",
        Operator.Le => "<=",
        Operator.Gt => ">",
        Operator.Ge => ">=",
        Operator.Contains => "contains",
        Operator.StartsWith => "starts_with",
        _ => "match",
    };

    private static void PrintComparison(StringBuilder text, FieldPath field, string op, JsonScalar value) =>
        Print(text.Append(field.Text).Append(' ').Append(op).Append(' '), value);

    private static void Print(StringBuilder text, JsonScalar value)
    {
        switch (value.Kind)
        {
            case ScalarKind.Null:
                text.Append("null");
                break;
            case ScalarKind.Bool:
                text.Append(value.Bool ? "true" : "false");
                break;
            case ScalarKind.Number:
                text.Append(Print(value.Number));
                break;
            case ScalarKind.Time:
                text.Append('"').Append(TimeText.Print(value.Microseconds)).Append('"');
                break;
            case ScalarKind.Text:
                PrintText(text, value.Text);
                break;
        }
    }

    private static void PrintText(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }

        text.Append('"');
    }
}
