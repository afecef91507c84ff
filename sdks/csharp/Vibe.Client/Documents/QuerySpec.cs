using Vibe.Client.Filters;
using Vibe.Documents.V1;

namespace Vibe.Client.Documents;

/// <summary>A query as it is asked.</summary>
internal sealed record QuerySpec(string Collection)
{
    public FilterNode Filter { get; init; } = FilterNode.True;

    public IReadOnlyList<OrderKey> Order { get; init; } = [];

    public int Limit { get; init; }

    public DocumentScope Scope { get; init; }

    public IReadOnlyList<string> Expand { get; init; } = [];

    public string FilterText => Filter == FilterNode.True ? "" : Filter.ToString();

    public string OrderText => string.Join(", ", Order.Select(static key => key.ToString()));
}
