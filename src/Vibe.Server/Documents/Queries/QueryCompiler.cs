using System.Collections.Immutable;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// Compiles queries to SQL for a session that carries the caller's context. Texts depend only on the shape of a query:
/// values, JSON keys and names are parameters, so that prepared statements are found again.
/// </summary>
internal static class QueryCompiler
{
    /// <summary>One page.</summary>
    /// <param name="query">The query.</param>
    /// <param name="caller">Who asks; the same whose context the session carries.</param>
    /// <param name="ready">The collection's value indexes that are ready.</param>
    /// <param name="columns">The columns wanted, of the document row <c>d</c>.</param>
    /// <param name="limit">How many rows: one more than the page, to know whether there is a next one.</param>
    /// <param name="after">The place of the last row of the page before; null for the first page.</param>
    /// <param name="probeLimit">See <see cref="FieldPlan.ProbeLimit"/>.</param>
    public static CompiledQuery Page(
        DocumentQuery query, Caller caller, ImmutableArray<IndexedFields> ready, Sql columns, int limit, Place? after,
        int probeLimit = FieldPlan.UsualProbeLimit)
    {
        var branches = new QueryBranches(query, caller);
        var plan = FieldPlan.Of(query.Filter, query.Order, ready, probeLimit);
        var page = new PageStatement(query, branches, plan, columns, Limit(limit), after);
        return new CompiledQuery(page.Compile(), plan.Fields, query.Order);
    }

    // The usual sizes are literal: with an unknown limit the planner expects a tenth of the table, and sorts.
    private static Sql Limit(int limit) => limit switch
    {
        2 => $"limit 2",
        11 => $"limit 11",
        21 => $"limit 21",
        26 => $"limit 26",
        51 => $"limit 51",
        101 => $"limit 101",
        201 => $"limit 201",
        501 => $"limit 501",
        1001 => $"limit 1001",
        _ => $"limit {limit}",
    };
}
