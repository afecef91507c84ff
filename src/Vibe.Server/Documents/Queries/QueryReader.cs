using System.Collections.Immutable;
using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// Reads filters, orders and fields from a request, in text form or as messages. What is not valid is INVALID_ARGUMENT
/// for the given field of the request, or the exact part of it. Filters come back in canonical form.
/// </summary>
internal static class QueryReader
{
    /// <summary>A filter in text form; everything when blank.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static FilterNode Filter(string text, string field) => Read(() =>
    {
        var node = FilterParser.Parse(text, field);
        FilterForm.CheckSize(node, field);
        return FilterForm.Canonical(node);
    });

    /// <summary>A filter message; everything when null.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static FilterNode Filter(Filter? filter, string field) => Read(() =>
    {
        if (filter is null)
        {
            return FilterNode.True;
        }

        var node = FilterMessage.Read(filter, field);
        FilterForm.CheckSize(node, field);
        return FilterForm.Canonical(node);
    });

    /// <summary>An order in text form; newest first when blank.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static DocumentOrder Order(string text, string field) => Read(() => OrderText.Parse(text, field));

    /// <summary>An order as messages; newest first when empty.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static DocumentOrder Order(IReadOnlyList<OrderBy> keys, string field) => Read(() => OrderText.Read(keys, field));

    /// <summary>One field.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static FieldPath Field(string text, string field) => Read(() => OrderText.ParseField(text, field));

    /// <summary>Fields, separated by commas.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static ImmutableArray<FieldPath> Fields(string text, string field) => Read(() => OrderText.ParseFields(text, field));

    private static T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (QuerySyntaxException exception)
        {
            throw VibeError.InvalidField(exception.Field, exception.Message, exception.Rule);
        }
    }
}
