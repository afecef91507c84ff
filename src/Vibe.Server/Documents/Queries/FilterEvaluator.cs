using System.Text;
using System.Text.Json;
using Vibe.Documents.V1;

namespace Vibe.Server.Documents.Queries;

/// <summary>Executes filters in memory: the meaning is that of query.proto, the same as the SQL form gives in PostgreSQL.</summary>
internal static class FilterEvaluator
{
    /// <summary>Whether the document fulfils the condition. Thread-safe; allocates only for strings with escapes.</summary>
    public static bool Matches(this FilterNode node, in DocumentView document)
    {
        switch (node)
        {
            case AndNode all:
                foreach (var part in all.Nodes)
                {
                    if (!part.Matches(document))
                    {
                        return false;
                    }
                }

                return true;
            case OrNode any:
                foreach (var part in any.Nodes)
                {
                    if (part.Matches(document))
                    {
                        return true;
                    }
                }

                return false;
            case NotNode no:
                return !no.Node.Matches(document);
            default:
                return Matches((CompareNode)node, document);
        }
    }

    private static bool Matches(CompareNode compare, in DocumentView document)
    {
        if (compare.Op == Operator.Ne)
        {
            return !Matches(new CompareNode(compare.Field, Operator.Eq, compare.Value, []), document);
        }

        return compare.Field.CoreField switch
        {
            CoreField.None => document.TryGet(compare.Field, out var value) && MatchesJson(compare, value),
            CoreField.CreateTime => MatchesTime(compare, document.CreateTime),
            CoreField.UpdateTime => MatchesTime(compare, document.UpdateTime),
            CoreField.Revision => MatchesNumber(compare, document.Revision),
            var field => document.TextOf(field) is { } text && MatchesText(compare, text),
        };
    }

    private static bool MatchesJson(CompareNode compare, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return compare.Op == Operator.Exists || MatchesUtf8(compare, JsonText.Utf8Of(value));
            case JsonValueKind.Number:
                return MatchesNumber(compare, value.GetDouble());
            case JsonValueKind.True or JsonValueKind.False:
                return MatchesBool(compare, value.ValueKind == JsonValueKind.True);
            case JsonValueKind.Array when compare.Op == Operator.Contains:
                foreach (var item in value.EnumerateArray())
                {
                    if (IsEqual(item, compare.Value))
                    {
                        return true;
                    }
                }

                return false;
            case JsonValueKind.Null:
                return compare.Op == Operator.Exists || Any(compare, static (operand, _) => operand.Kind == ScalarKind.Null, 0);
            default:
                return compare.Op == Operator.Exists;
        }
    }

    private static bool IsEqual(JsonElement item, JsonScalar operand) => (item.ValueKind, operand.Kind) switch
    {
        (JsonValueKind.Null, ScalarKind.Null) => true,
        (JsonValueKind.True or JsonValueKind.False, ScalarKind.Bool) => operand.Bool == (item.ValueKind == JsonValueKind.True),
        (JsonValueKind.Number, ScalarKind.Number) => item.GetDouble() == operand.Number,
        (JsonValueKind.String, ScalarKind.Text) => JsonText.Utf8Of(item).SequenceEqual(operand.Utf8),
        _ => false,
    };

    private static bool MatchesUtf8(CompareNode compare, ReadOnlySpan<byte> text)
    {
        switch (compare.Op)
        {
            case Operator.StartsWith:
                return text.StartsWith(compare.Value.Utf8);
            case Operator.Match:
                return compare.Words.AreIn(text);
            case Operator.In:
                foreach (var item in compare.Items)
                {
                    if (item.Kind == ScalarKind.Text && text.SequenceEqual(item.Utf8))
                    {
                        return true;
                    }
                }

                return false;
            case Operator.Eq:
                return compare.Value.Kind == ScalarKind.Text && text.SequenceEqual(compare.Value.Utf8);
            default:
                return compare.Value.Kind == ScalarKind.Text && IsOrdered(compare.Op, text.SequenceCompareTo(compare.Value.Utf8));
        }
    }

    private static bool MatchesText(CompareNode compare, string text) => compare.Op switch
    {
        Operator.Exists => true,
        Operator.Eq or Operator.In => Any(
            compare, static (operand, value) => operand.Kind == ScalarKind.Text && operand.Text == value, text),
        Operator.StartsWith => text.StartsWith(compare.Value.Text, StringComparison.Ordinal),
        Operator.Match => compare.Words.AreIn(Encoding.UTF8.GetBytes(text)),
        _ => compare.Value.Kind == ScalarKind.Text && IsOrdered(compare.Op, CodePoints.Compare(text, compare.Value.Text)),
    };

    private static bool MatchesNumber(CompareNode compare, double number) => compare.Op switch
    {
        Operator.Exists => true,
        Operator.Eq or Operator.In => Any(
            compare, static (operand, value) => operand.Kind == ScalarKind.Number && operand.Number == value, number),
        _ => compare.Value.Kind == ScalarKind.Number && IsOrdered(compare.Op, number.CompareTo(compare.Value.Number)),
    };

    private static bool MatchesBool(CompareNode compare, bool value) => compare.Op switch
    {
        Operator.Exists => true,
        Operator.Eq or Operator.In => Any(
            compare, static (operand, value) => operand.Kind == ScalarKind.Bool && operand.Bool == value, value),
        _ => compare.Value.Kind == ScalarKind.Bool && IsOrdered(compare.Op, value.CompareTo(compare.Value.Bool)),
    };

    private static bool MatchesTime(CompareNode compare, long microseconds) => compare.Op switch
    {
        Operator.Exists => true,
        Operator.Eq or Operator.In => Any(
            compare, static (operand, value) => operand.Kind == ScalarKind.Time && operand.Microseconds == value, microseconds),
        _ => compare.Value.Kind == ScalarKind.Time && IsOrdered(compare.Op, microseconds.CompareTo(compare.Value.Microseconds)),
    };

    // EQ and IN: the value, or one of the items.
    private static bool Any<T>(CompareNode compare, Func<JsonScalar, T, bool> isEqual, T value)
    {
        if (compare.Op == Operator.Eq)
        {
            return isEqual(compare.Value, value);
        }

        if (compare.Op == Operator.In)
        {
            foreach (var item in compare.Items)
            {
                if (isEqual(item, value))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool IsOrdered(Operator op, int order) => op switch
    {
        Operator.Lt => order < 0,
        Operator.Le => order <= 0,
        Operator.Gt => order > 0,
        Operator.Ge => order >= 0,
        _ => false,
    };
}
