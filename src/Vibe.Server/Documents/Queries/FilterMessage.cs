using System.Collections.Immutable;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Vibe.Documents.V1;

namespace Vibe.Server.Documents.Queries;

/// <summary>Filters as messages. Errors name the part: <c>filter.and.filters[2].compare.value</c>.</summary>
internal static class FilterMessage
{
    /// <summary>The condition a message states, as written, with its text nodes parsed.</summary>
    /// <exception cref="QuerySyntaxException">A part is not valid.</exception>
    public static FilterNode Read(Filter filter, string field) => Read(filter, field, new Reader());

    /// <summary>The message that states a condition.</summary>
    public static Filter Write(FilterNode node) => node switch
    {
        AndNode all => new Filter { And = new FilterList { Filters = { all.Nodes.Select(Write) } } },
        OrNode any => new Filter { Or = new FilterList { Filters = { any.Nodes.Select(Write) } } },
        NotNode no => new Filter { Not = Write(no.Node) },
        _ => new Filter { Compare = Write((CompareNode)node) },
    };

    private static FilterNode Read(Filter filter, string field, Reader reader)
    {
        reader.Enter(field);
        FilterNode node = filter.KindCase switch
        {
            Filter.KindOneofCase.And => new AndNode(ReadList(filter.And, $"{field}.and.filters", reader)),
            Filter.KindOneofCase.Or => new OrNode(ReadList(filter.Or, $"{field}.or.filters", reader)),
            Filter.KindOneofCase.Not => new NotNode(Read(filter.Not, $"{field}.not", reader)),
            Filter.KindOneofCase.Compare => reader.Count(ReadComparison(filter.Compare, $"{field}.compare"), field),
            Filter.KindOneofCase.Text => FilterParser.Parse(filter.Text, $"{field}.text"),
            _ => throw new QuerySyntaxException(field, "one of `and`, `or`, `not`, `compare` and `text` must be set", QueryRule.Syntax),
        };
        reader.Leave();
        return node;
    }

    private static ImmutableArray<FilterNode> ReadList(FilterList list, string field, Reader reader)
    {
        if (list.Filters.Count > QueryLimits.Items)
        {
            throw new QuerySyntaxException(field, $"at most {QueryLimits.Items} conditions", QueryRule.Limit);
        }

        return [.. list.Filters.Select((part, i) => Read(part, string.Create(CultureInfo.InvariantCulture, $"{field}[{i}]"), reader))];
    }

    private static CompareNode ReadComparison(Comparison comparison, string field)
    {
        var path = OrderText.ParseField(comparison.Field, $"{field}.field");
        var value = comparison.Value;
        switch (comparison.Op)
        {
            // JSON has no way to leave a Value out of an object that names it but null.
            case Operator.Exists when value is null or { KindCase: Value.KindOneofCase.NullValue }:
                return ComparisonRules.Exists(path);
            case Operator.Exists:
                throw new QuerySyntaxException($"{field}.value", "EXISTS takes no value", QueryRule.Value);
            case var op when op == Operator.Unspecified || !System.Enum.IsDefined(op):
                throw new QuerySyntaxException($"{field}.op", "the operator is missing or unknown", QueryRule.Operator);
        }

        try
        {
            return comparison.Op == Operator.In
                ? ComparisonRules.In(path, ReadItems(value))
                : ComparisonRules.Compare(path, comparison.Op, ReadScalar(value));
        }
        catch (FormatException exception)
        {
            throw new QuerySyntaxException($"{field}.value", exception.Message, QueryRule.Value);
        }
    }

    private static ImmutableArray<JsonScalar> ReadItems(Value? value) => value switch
    {
        { KindCase: Value.KindOneofCase.ListValue } when value.ListValue.Values.Count > QueryLimits.Items =>
            throw new FormatException($"a list has at most {QueryLimits.Items} items"),
        { KindCase: Value.KindOneofCase.ListValue } => [.. value.ListValue.Values.Select(ReadScalar)],
        _ => throw new FormatException("IN needs an array"),
    };

    private static JsonScalar ReadScalar(Value? value) => value?.KindCase switch
    {
        Value.KindOneofCase.NullValue => JsonScalar.Null,
        Value.KindOneofCase.BoolValue => JsonScalar.Of(value.BoolValue),
        Value.KindOneofCase.NumberValue => JsonScalar.Of(value.NumberValue),
        Value.KindOneofCase.StringValue => JsonScalar.Of(value.StringValue),
        null or Value.KindOneofCase.None => throw new FormatException("a value is needed"),
        _ => throw new FormatException("the value must be null, a bool, a number or a string"),
    };

    private static Comparison Write(CompareNode compare) => new()
    {
        Field = compare.Field.Text,
        Op = compare.Op,
        Value = compare.Op switch
        {
            Operator.Exists => null,
            Operator.In => new Value { ListValue = new ListValue { Values = { compare.Items.Select(Write) } } },
            _ => Write(compare.Value),
        },
    };

    private static Value Write(JsonScalar value) => value.Kind switch
    {
        ScalarKind.Bool => Value.ForBool(value.Bool),
        ScalarKind.Number => Value.ForNumber(value.Number),
        ScalarKind.Text => Value.ForString(value.Text),
        ScalarKind.Time => Value.ForString(TimeText.Print(value.Microseconds)),
        _ => Value.ForNull(),
    };

    // Stops at the limits while reading, before the tree has grown.
    private sealed class Reader
    {
        private int _depth;
        private int _comparisons;

        public void Enter(string field)
        {
            if (++_depth > QueryLimits.Depth)
            {
                throw new QuerySyntaxException(field, $"a filter has at most {QueryLimits.Depth} levels", QueryRule.Limit);
            }
        }

        public void Leave() => _depth--;

        public CompareNode Count(CompareNode compare, string field) => ++_comparisons <= QueryLimits.Comparisons
            ? compare
            : throw new QuerySyntaxException(field, $"a filter has at most {QueryLimits.Comparisons} comparisons", QueryRule.Limit);
    }
}
