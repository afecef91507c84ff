using System.Collections.Immutable;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents.Queries;

/// <summary>Which documents, in which order. Made with <see cref="QueryReader"/>.</summary>
internal sealed record DocumentQuery
{
    /// <summary>The collection.</summary>
    public required string Collection { get; init; }

    /// <summary>Whose documents.</summary>
    public DocumentScope Scope { get; init; }

    /// <summary>The condition, canonical.</summary>
    public FilterNode Filter { get; init; } = FilterNode.True;

    /// <summary>The order.</summary>
    public DocumentOrder Order { get; init; } = DocumentOrder.NewestFirst;

    /// <summary>What a page token of this query is good for. Two spellings of the same filter are the same query.</summary>
    public PageQuery ForPages(Caller caller, string method) =>
        new(caller, method, Collection, Scope.ToString(), FilterPrinter.Print(Filter), Order.ToString());
}

/// <summary>
/// A page of a query, ready to run. Its rows are the columns asked for, followed by the columns of
/// <see cref="ReadPlace"/>.
/// </summary>
/// <param name="Statement">The statement.</param>
/// <param name="Fields">The canonical paths of the field indexes the statement reads, to count their use.</param>
/// <param name="Order">The order.</param>
internal sealed record CompiledQuery(Sql Statement, ImmutableArray<string> Fields, DocumentOrder Order)
{
    /// <summary>The place of a row, for the token of the page after it.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">How many columns were asked for.</param>
    public Place ReadPlace(Row row, int column) => SqlOrder.Read(Order, row, column);
}
