using System.Collections.Immutable;
using Google.Protobuf.WellKnownTypes;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents.FieldIndexes;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Runs queries and aggregates, through a field index where one helps.</summary>
internal sealed class QueryStore(Database database, FieldIndexCatalog indexes)
{
    /// <summary>A page of documents with their places.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="query">What for.</param>
    /// <param name="limit">How many.</param>
    /// <param name="after">Where the page before ended; null for the first.</param>
    /// <param name="budget">What they may weigh together; null for no limit.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<IReadOnlyList<(DocumentRow Row, Place Place)>> ListAsync(
        Caller caller, DocumentQuery query, int limit, Place? after, RowBudget<(DocumentRow Row, Place Place)>? budget, CancellationToken cancellationToken)
    {
        var ready = await indexes.ReadyAsync(query.Collection, cancellationToken);
        var compiled = QueryCompiler.Page(query, caller, ready, DocumentRow.Columns, limit, after);
        indexes.CountUse(query.Collection, compiled.Fields);
        return await database.QueryAsync(
            caller.ToRequestContext(), compiled.Statement,
            row => (DocumentRow.Read(row), compiled.ReadPlace(row, DocumentRow.ColumnCount)), budget, cancellationToken);
    }

    /// <summary>The numbers, and whether there were more documents than were looked at.</summary>
    public async Task<(IEnumerable<KeyValuePair<string, Value>> Values, bool IsCapped)> AggregateAsync(
        Caller caller, DocumentQuery query, ImmutableArray<AggregateColumn> columns, CancellationToken cancellationToken)
    {
        var ready = await indexes.ReadyAsync(query.Collection, cancellationToken);
        var compiled = AggregateCompiler.Compile(query, columns, caller, ready);
        indexes.CountUse(query.Collection, compiled.Fields);
        var (json, isCapped) = await database.QueryFirstAsync(
            caller.ToRequestContext(), compiled.Statement, static row => (row.GetJson(0), row.GetBoolean(1)), cancellationToken);
        return (compiled.ReadValues(json), isCapped);
    }
}
