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
        List<Sql> statements = [.. branches.Kinds.Select(Branch)];
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
            ways.Add(Sorted(kind, name, driver, [.. gates, $"(select count(*) from {name}) <= {_probeLimit}"]));
            gates.Add($"(select count(*) from {name}) > {_probeLimit}");
        }

        ways.Add(Walk(kind, gates));
        return $"with {Sql.Join($", ", probes)} {Merge(ways)}";
    }

    // One more than the limit tells that there are too many.
    private Sql Probe(BranchKind kind, FieldDriver driver)
    {
        Sql ofPrincipals = kind == BranchKind.Shared ? $"f.principal = any({branches.Principals}) and" : Sql.Empty;
        return $"""
            select f.doc_id, f.create_time from {QueryBranches.Entries(kind)}
            where {ofPrincipals} {Sql.Join($" and ", branches.OnEntries(kind, driver))} limit {_probeLimit} + 1
            """;
    }

    /// <summary>The few matches of a probe, sorted before their documents are read if their entries suffice for that.</summary>
    private Sql Sorted(BranchKind kind, Sql probe, FieldDriver driver, List<Sql> gates)
    {
        // A document shared twice was found twice.
        Sql select = kind == BranchKind.Shared && !IsOfOne ? $"select distinct" : (Sql)$"select";
        if (!IsNewest)
        {
            return Select(_order, $"({select} * from {probe}) f cross join lateral ({DocumentOf(kind, driver)}) d", [.. gates, .. After(_order)]);
        }

        var order = SqlOrder.Columns(query.Order, OrderSource.Entry(null));
        if (query.Order.Keys.Length > 1)
        {
            return Select(order, $"({select} * from {probe}) f cross join lateral ({DocumentOf(kind, driver)}) d", [.. gates, .. After(order)]);
        }

        Sql sorted = $"""
            ({select} * from {probe} f where {Sql.Join($" and ", [.. gates, .. After(order)])} order by {SqlOrder.OrderBy(order)} offset 0) f
            """;
        return Select(order, $"{sorted} cross join lateral ({DocumentOf(kind, driver)}) d", []);
    }

    private Sql Walk(BranchKind kind, List<Sql> gates)
    {
        if (kind == BranchKind.Shared)
        {
            return plan.Walk is null ? Shares(gates) : SharedEntries(plan.Walk, gates);
        }

        if (plan.Walk is null || !QueryBranches.HasEntries(kind))
        {
            return Select(_order, $"vibe.documents d", [.. gates, .. branches.OnDocuments(kind), .. Filter, .. After(_order)]);
        }

        var order = SqlOrder.Columns(query.Order, OrderSource.Entry(plan.Walk.Index.Last));
        return Select(
            order, $"{QueryBranches.Entries(kind)} cross join lateral ({DocumentOf(kind, plan.Walk)}) d",
            [.. gates, .. branches.OnEntries(kind, plan.Walk), .. After(order)]);
    }

    private Sql Shares(List<Sql> gates)
    {
        var order = SqlOrder.Columns(query.Order, IsNewest && query.Order.Keys.Length == 1 ? OrderSource.Share : OrderSource.Document);
        Sql document = $"""
            select d.* from vibe.documents d
            where d.id = a.doc_id and {Sql.Join($" and ", [.. branches.OnDocuments(BranchKind.Shared), .. Filter])} offset 0
            """;
        return OfPrincipals(order, principal => Select(
            order, $"vibe.doc_acl a cross join lateral ({document}) d",
            [.. gates, $"a.principal = {principal}", $"a.collection = {query.Collection}", .. After(order)]));
    }

    private Sql SharedEntries(FieldDriver walk, List<Sql> gates)
    {
        var order = SqlOrder.Columns(query.Order, OrderSource.Entry(walk.Index.Last));
        return OfPrincipals(order, principal => Select(
            order, $"{QueryBranches.Entries(BranchKind.Shared)} cross join lateral ({DocumentOf(BranchKind.Shared, walk)}) d",
            [.. gates, $"f.principal = {principal}", .. branches.OnEntries(BranchKind.Shared, walk), .. After(order)]));
    }

    /// <summary>Reads the shares of each principal in order, so that it can stop; a document shared twice comes once.</summary>
    private Sql OfPrincipals(ImmutableArray<SqlOrderColumn> order, Func<Sql, Sql> ofPrincipal)
    {
        if (IsOfOne)
        {
            return ofPrincipal($"{branches.Principals[0]}");
        }

        var aliases = Sql.Join($", ", order.Select(static column => column.Alias));
        return $"""
            select distinct on ({aliases}) s.*
            from unnest({branches.Principals}) p(principal) cross join lateral ({ofPrincipal($"p.principal")}) s
            order by {SqlOrder.OrderByAlias(order)} {limit}
            """;
    }

    private bool IsOfOne => branches.Principals.Length == 1;

    // Where the entry says all that the filter does, the body need not be looked into again: one snapshot shows both.
    private Sql DocumentOf(BranchKind kind, FieldDriver driver)
    {
        // An entry of a share does not say whether another branch finds the document.
        ImmutableArray<Sql> ofBranch = kind == BranchKind.Shared ? branches.OnDocuments(kind) : [$"d.delete_time is null"];
        return $"""
            select d.* from vibe.documents d
            where {Sql.Join($" and ", [$"d.id = f.doc_id", .. ofBranch, .. driver.IsWholeFilter ? [] : Filter])} offset 0
            """;
    }

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
