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
    /// <param name="readyFields">The canonical paths of the collection's value indexes that are ready.</param>
    /// <param name="columns">The columns wanted, of the document row <c>d</c>.</param>
    /// <param name="limit">How many rows: one more than the page, to know whether there is a next one.</param>
    /// <param name="after">The place of the last row of the page before; null for the first page.</param>
    public static CompiledQuery Page(
        DocumentQuery query, Caller caller, IReadOnlySet<string> readyFields, Sql columns, int limit, Place? after)
    {
        var driver = FieldDriver.Choose(query.Filter, query.Order, readyFields);
        var branches = QueryBranches.Of(query, caller, driver);
        var page = new PageStatement(query, driver, columns, Limit(limit), after);
        var statements = branches.Select(branch => branch.Kind == BranchKind.Shared ? page.Shared(branch, caller) : page.Simple(branch)).ToList();
        return new CompiledQuery(page.Merge(statements), driver?.Path.Text, query.Order);
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

    private sealed class PageStatement(DocumentQuery query, FieldDriver? driver, Sql columns, Sql limit, Place? after)
    {
        private readonly Sql _filter = SqlFilter.Compile(query.Filter);
        private readonly bool _isNewest = query.Order.Keys is [{ Field.CoreField: CoreField.CreateTime }];

        private ImmutableArray<SqlOrderColumn> MainOrder { get; } =
            SqlOrder.Columns(query.Order, driver is null ? OrderSource.Document : OrderSource.Field(driver.Path));

        public Sql Simple(QueryBranch branch)
        {
            Sql from = driver is null ? (Sql)$"vibe.documents d" : $"vibe.docs_by_field d";
            return $"""
                select {columns}, {SqlOrder.Select(MainOrder)}
                from {from}
                where {Where(branch, MainOrder)}
                order by {SqlOrder.OrderBy(MainOrder)} {limit}
                """;
        }

        /// <summary>Reads the shares of each principal in order, so that it can stop; a document shared twice comes once.</summary>
        public Sql Shared(QueryBranch branch, Caller caller)
        {
            var order = SqlOrder.Columns(query.Order, _isNewest ? OrderSource.Share : OrderSource.Document);
            var principals = QueryBranches.SharingPrincipals(caller);
            Sql principal = principals.Length == 1 ? (Sql)$"{principals[0]}" : $"p.principal";
            Sql ofOne = $"""
                select {columns}, {SqlOrder.Select(order)}
                from vibe.doc_acl a join vibe.documents d on d.id = a.doc_id
                where a.principal = {principal} and a.collection = {query.Collection} and not a.removed
                  and {Where(branch, order)}
                order by {SqlOrder.OrderBy(order)} {limit}
                """;
            if (principals.Length == 1)
            {
                return ofOne;
            }

            var aliases = Sql.Join($", ", order.Select(column => column.Alias));
            return $"""
                select distinct on ({aliases}) s.*
                from unnest({principals}) p(principal) cross join lateral ({ofOne}) s
                order by {SqlOrder.OrderByAlias(order)} {limit}
                """;
        }

        public Sql Merge(List<Sql> statements) => statements.Count switch
        {
            0 => $"select {columns}, {SqlOrder.Select(SqlOrder.Columns(query.Order, OrderSource.Document))} from vibe.documents d where false",
            1 => statements[0],
            _ => $"""
                select * from (({Sql.Join($") union all (", statements)})) q
                order by {SqlOrder.OrderByAlias(MainOrder)} {limit}
                """,
        };

        private Sql Where(QueryBranch branch, ImmutableArray<SqlOrderColumn> order)
        {
            List<Sql> conditions = [.. branch.Conditions];
            if (query.Filter is not AndNode { Nodes.IsEmpty: true })
            {
                conditions.Add(_filter);
            }

            if (after is not null)
            {
                conditions.Add(SqlOrder.After(query.Order, order, after));
            }

            return Sql.Join($" and ", conditions);
        }
    }
}
