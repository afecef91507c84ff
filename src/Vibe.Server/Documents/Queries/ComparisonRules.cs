using System.Collections.Immutable;
using Vibe.Documents.V1;

namespace Vibe.Server.Documents.Queries;

/// <summary>Which values fit which operators: the same for the text form and the message form.</summary>
internal static class ComparisonRules
{
    /// <summary>A comparison with one value.</summary>
    /// <exception cref="FormatException">The value does not fit; the message says why.</exception>
    public static CompareNode Compare(FieldPath field, Operator op, JsonScalar value)
    {
        switch (op)
        {
            case Operator.Lt or Operator.Le or Operator.Gt or Operator.Ge when value.Kind == ScalarKind.Null:
                throw new FormatException("null is neither less nor greater than anything");
            case Operator.StartsWith or Operator.Match when value.Kind != ScalarKind.Text:
                throw new FormatException("this operator needs a string");
            case Operator.StartsWith or Operator.Match or Operator.Contains:
                return new CompareNode(field, op, value, []);
            default:
                return new CompareNode(field, op, AsTime(field, value), []);
        }
    }

    /// <summary>A comparison with a list of values.</summary>
    /// <exception cref="FormatException">An item does not fit, or there are too many.</exception>
    public static CompareNode In(FieldPath field, ImmutableArray<JsonScalar> items) => items.Length <= QueryLimits.Items
        ? new CompareNode(field, Operator.In, null, [.. items.Select(item => AsTime(field, item))])
        : throw new FormatException($"a list has at most {QueryLimits.Items} items");

    /// <summary>Whether the field is there.</summary>
    public static CompareNode Exists(FieldPath field) => new(field, Operator.Exists, null, []);

    private static JsonScalar AsTime(FieldPath field, JsonScalar value) => field.IsTime && value.Kind == ScalarKind.Text
        ? JsonScalar.OfTime(TimeText.Parse(value.Text))
        : value;
}
