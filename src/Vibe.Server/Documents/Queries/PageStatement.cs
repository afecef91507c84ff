using System.Collections.Immutable;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// The SQL of one page. Where an index entry leads to a document, the document stands in a LATERAL with OFFSET 0: one
/// lookup by id for each entry, in the order of the entries, is then the only way to run it, whatever the planner expects.
/// </summary>
internal sealed class PageStatement(DocumentQuery query, QueryBranches branches, FieldPlan plan, Sql columns, Sql limit, Place? after)
{
    private static readonly ImmutableArray<Sql> ProbeNames = [$"probe_0", $"probe_1"];

    private readonly Sql _probeLimit = $"{plan.ProbeLimit}";
    private readonly Sql _filter = SqlFilter.Compile(query.Filter);
    private readonly ImmutableArray<SqlOrderColumn> _order = SqlOrder.Columns(query.Order, OrderSource.Document);

    private bool IsNewest => query.Order.Keys[0].Field.CoreField == CoreField.CreateTime;

    /// <summary>The statement.</summary>
    public Sql Compile()
    {
        List<Sql> statements = [.. branches.Kinds.Select(kind => kind == BranchKind.Shared ? Shared() : Branch(kind))];
        return statements.Count == 0
            ? $"select {columns}, {SqlOrder.Select(_order)} from vibe.documents d where false"
            : Merge(statements);
    }

    private Sql Branch(BranchKind kind)
    {
        if (plan.Probes.IsEmpty || !QueryBranches.HasEntries(kind))
        {
            return Walk(kind, []);
        }

        List<Sql> probes = [];
        List<Sql> gates = [];
        List<Sql> ways = [];
        for (var i = 0; i < plan.Probes.Length; i++)
        {
            var (name, driver) = (ProbeNames[i], plan.Probes[i]);
            probes.Add($"{name} as materialized ({Probe(kind, driver)})");
            ways.Add(Sorted(name, driver, [.. gates, $"(select count(*) from {name}) <= {_probeLimit}"]));
            gates.Add($"(select count(*) from {name}) > {_probeLimit}");
        }

        ways.Add(Walk(kind, gates));
        return $"with {Sql.Join($", ", probes)} {Merge(ways)}";
    }

    // One more than the limit tells that there are too many.
    private Sql Probe(BranchKind kind, FieldDriver driver) => $"""
        select f.doc_id, f.create_time from vibe.doc_fields f
        where {Sql.Join($" and ", branches.OnEntries(kind, driver))} limit {_probeLimit} + 1
        """;

    /// <summary>The few matches of a probe, sorted before their documents are read if their entries suffice for that.</summary>
    private Sql Sorted(Sql probe, FieldDriver driver, List<Sql> gates)
    {
        if (!IsNewest)
        {
            return Select(_order, $"{probe} f cross join lateral ({DocumentOf(driver)}) d", [.. gates, .. After(_order)]);
        }

        var order = SqlOrder.Columns(query.Order, OrderSource.Entry(null));
        if (query.Order.Keys.Length > 1)
        {
            return Select(order, $"{probe} f cross join lateral ({DocumentOf(driver)}) d", [.. gates, .. After(order)]);
        }

        Sql sorted = $"""
            (select * from {probe} f where {Sql.Join($" and ", [.. gates, .. After(order)])} order by {SqlOrder.OrderBy(order)} offset 0) f
            """;
        return Select(order, $"{sorted} cross join lateral ({DocumentOf(driver)}) d", []);
    }

    private Sql Walk(BranchKind kind, List<Sql> gates)
    {
        if (plan.Walk is null || !QueryBranches.HasEntries(kind))
        {
            return Select(_order, $"vibe.documents d", [.. gates, .. branches.OnDocuments(kind), .. Filter, .. After(_order)]);
        }

        var order = SqlOrder.Columns(query.Order, OrderSource.Entry(plan.Walk.Index.Last));
        return Select(
            order, $"vibe.doc_fields f cross join lateral ({DocumentOf(plan.Walk)}) d",
            [.. gates, .. branches.OnEntries(kind, plan.Walk), .. After(order)]);
    }

    /// <summary>Reads the shares of each principal in order, so that it can stop; a document shared twice comes once.</summary>
    private Sql Shared()
    {
        var isSharesOrder = IsNewest && query.Order.Keys.Length == 1;
        var order = SqlOrder.Columns(query.Order, isSharesOrder ? OrderSource.Share : OrderSource.Document);
        Sql document = $"""
            select d.* from vibe.documents d
            where d.id = a.doc_id and {Sql.Join($" and ", [.. branches.OnDocuments(BranchKind.Shared), .. Filter])} offset 0
            """;
        var isOne = branches.Principals.Length == 1;
        var ofOne = Select(
            order, $"vibe.doc_acl a cross join lateral ({document}) d",
            [
                isOne ? (Sql)$"a.principal = {branches.Principals[0]}" : $"a.principal = p.principal",
                $"a.collection = {query.Collection}", $"not a.removed", .. After(order),
            ]);
        if (isOne)
        {
            return ofOne;
        }

        var aliases = Sql.Join($", ", order.Select(static column => column.Alias));
        return $"""
            select distinct on ({aliases}) s.*
            from unnest({branches.Principals}) p(principal) cross join lateral ({ofOne}) s
            order by {SqlOrder.OrderByAlias(order)} {limit}
            """;
    }

    // Where the entry says all that the filter does, the body need not be looked into again: one snapshot shows both.
    private Sql DocumentOf(FieldDriver driver) => $"""
        select d.* from vibe.documents d
        where {Sql.Join($" and ", [$"d.id = f.doc_id", $"d.delete_time is null", .. driver.IsWholeFilter ? [] : Filter])} offset 0
        """;

    private ImmutableArray<Sql> Filter => query.Filter is AndNode { Nodes.IsEmpty: true } ? [] : [_filter];

    private ImmutableArray<Sql> After(ImmutableArray<SqlOrderColumn> order) => after is null ? [] : [SqlOrder.After(query.Order, order, after)];

    private Sql Select(ImmutableArray<SqlOrderColumn> order, Sql from, ImmutableArray<Sql> where)
    {
        Sql condition = where.IsEmpty ? Sql.Empty : $"where {Sql.Join($" and ", where)}";
        return $"select {columns}, {SqlOrder.Select(order)} from {from} {condition} order by {SqlOrder.OrderBy(order)} {limit}";
    }

    private Sql Merge(List<Sql> statements) => statements.Count == 1 ? statements[0] : $"""
        select * from (({Sql.Join($") union all (", statements)})) q
        order by {SqlOrder.OrderByAlias(_order)} {limit}
        """;
}
