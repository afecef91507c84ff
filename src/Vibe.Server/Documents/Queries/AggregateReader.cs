using System.Collections.Immutable;
using System.Globalization;
using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Server.Kernel;
using Function = Vibe.Documents.V1.Aggregation.Types.Function;

namespace Vibe.Server.Documents.Queries;

/// <summary>Reads the aggregations of a request.</summary>
internal static class AggregateReader
{
    /// <summary>How many numbers one call may ask for.</summary>
    public const int MaxAggregations = 10;

    /// <summary>The numbers wanted.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT, for the exact part of the given field.</exception>
    public static ImmutableArray<AggregateColumn> Read(IReadOnlyList<Aggregation> aggregations, string field)
    {
        if (aggregations.Count is 0 or > MaxAggregations)
        {
            throw VibeError.InvalidField(field, $"1 to {MaxAggregations} aggregations", QueryRule.Limit);
        }

        var columns = ImmutableArray.CreateBuilder<AggregateColumn>(aggregations.Count);
        for (var i = 0; i < aggregations.Count; i++)
        {
            var item = string.Create(CultureInfo.InvariantCulture, $"{field}[{i}]");
            var column = Read(aggregations[i], item);
            if (columns.Any(other => other.Alias == column.Alias))
            {
                throw VibeError.InvalidField($"{item}.alias", "this alias is taken", QueryRule.Value);
            }

            columns.Add(column);
        }

        return columns.MoveToImmutable();
    }

    private static AggregateColumn Read(Aggregation aggregation, string item)
    {
        if (aggregation.Alias.Length is 0 or > 64 || !char.IsAsciiLetter(aggregation.Alias[0]) || !aggregation.Alias.All(FieldPath.IsNamePart))
        {
            throw VibeError.InvalidField($"{item}.alias", "an alias is a letter, then letters, digits and _, 64 at most", QueryRule.Value);
        }

        if (aggregation.Function == Function.Unspecified || !Enum.IsDefined(aggregation.Function))
        {
            throw VibeError.InvalidField($"{item}.function", "the function is missing or unknown", QueryRule.Operator);
        }

        if (aggregation.Field.Length == 0 && aggregation.Function != Function.Count)
        {
            throw VibeError.InvalidField($"{item}.field", "this function needs a field", QueryRule.Field);
        }

        var path = aggregation.Field.Length == 0 ? null : QueryReader.Field(aggregation.Field, $"{item}.field");
        return new AggregateColumn(aggregation.Alias, aggregation.Function, path);
    }
}
