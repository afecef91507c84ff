using System.Collections.Immutable;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents.Queries;

/// <summary>One number wanted.</summary>
/// <param name="Alias">The name of the result.</param>
/// <param name="Function">The function.</param>
/// <param name="Field">The field; null only for COUNT.</param>
internal sealed record AggregateColumn(string Alias, Aggregation.Types.Function Function, FieldPath? Field);

/// <summary>Aggregates, ready to run. The one row has two columns: the results as a JSON array, and whether the cap was hit.</summary>
/// <param name="Statement">The statement.</param>
/// <param name="Fields">As in <see cref="CompiledQuery"/>.</param>
/// <param name="Columns">The numbers, in the order of the array.</param>
internal sealed record CompiledAggregate(Sql Statement, ImmutableArray<string> Fields, ImmutableArray<AggregateColumn> Columns)
{
    /// <summary>The results by alias, from the row's first column.</summary>
    public IEnumerable<KeyValuePair<string, Value>> ReadValues(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select((value, i) => KeyValuePair.Create(Columns[i].Alias, ToValue(value)))];
    }

    private static Value ToValue(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => Value.ForBool(value.GetBoolean()),
        // A sum may leave the range of a double, and JSON has no infinity.
        JsonValueKind.Number => Value.ForNumber(Math.Clamp(value.GetDouble(), double.MinValue, double.MaxValue)),
        JsonValueKind.String => Value.ForString(value.GetString()!),
        _ => Value.ForNull(),
    };
}

/// <summary>Compiles aggregates over the documents of a query.</summary>
internal static class AggregateCompiler
{
    // How many documents are looked at; one more tells that there are more.
    private static readonly Sql Cap = $"100000";
    private static readonly Sql OneMore = $"100001";

    /// <summary>The aggregates; the query's order means nothing.</summary>
    /// <param name="query">The query.</param>
    /// <param name="aggregates">The numbers wanted, at least one.</param>
    /// <param name="caller">Who asks; the same whose context the session carries.</param>
    /// <param name="ready">The collection's value indexes that are ready.</param>
    public static CompiledAggregate Compile(
        DocumentQuery query, ImmutableArray<AggregateColumn> aggregates, Caller caller, ImmutableArray<IndexedFields> ready)
    {
        var driver = FieldPlan.Narrowest(query.Filter, ready);
        var fields = aggregates.Select(aggregate => aggregate.Field).OfType<FieldPath>().Distinct().ToList();
        var filter = SqlFilter.Compile(query.Filter);
        var select = Sql.Join($", ", [$"1 as one", .. fields.Select((field, i) => (Sql)$"{JsonOf(field)} as {Names[i]}")]);
        var rights = new QueryBranches(query, caller);
        var branches = rights.Kinds.Select(kind => Branch(kind, rights, query.Collection, driver, fields.Count == 0, select, filter)).ToList();
        var rows = branches.Count == 0
            ? (Sql)$"select {select} from vibe.documents d where false"
            : $"({Sql.Join($") union all (", branches)})";
        var values = Sql.Join($", ", aggregates.Select(aggregate => Result(aggregate, aggregate.Field is { } field ? Names[fields.IndexOf(field)] : null)));

        Sql statement = $"""
            with found as materialized (select * from ({rows}) u limit {OneMore}),
                 looked_at as (select * from found limit {Cap})
            select jsonb_build_array({values}), (select count(*) > {Cap} from found)
            """;
        return new CompiledAggregate(statement, driver is null ? [] : [driver.Index.Text], aggregates);
    }

    private static readonly Sql[] Names =
        [$"value_0", $"value_1", $"value_2", $"value_3", $"value_4", $"value_5", $"value_6", $"value_7", $"value_8", $"value_9"];

    private static Sql Branch(
        BranchKind kind, QueryBranches rights, string collection, FieldDriver? driver, bool isCount, Sql select, Sql filter)
    {
        var document = Sql.Join($" and ", [.. rights.OnDocuments(kind), filter]);
        if (kind == BranchKind.Shared)
        {
            return $"""
                select {select}
                from (select distinct a.doc_id from vibe.doc_acl a
                      where a.principal = any({rights.Principals}) and a.collection = {collection}) a
                  cross join lateral (select d.* from vibe.documents d where d.id = a.doc_id and {document} offset 0) d
                limit {OneMore}
                """;
        }

        if (driver is null || !QueryBranches.HasEntries(kind))
        {
            return $"select {select} from vibe.documents d where {document} limit {OneMore}";
        }

        // To be counted, an entry need not lead to its document when the filter says no more of it.
        Sql documents = driver.IsWholeFilter && isCount
            ? Sql.Empty
            : $"cross join lateral (select d.* from vibe.documents d where d.id = f.doc_id and {document} offset 0) d";
        return $"""
            select {select} from vibe.doc_fields f {documents}
            where {Sql.Join($" and ", rights.OnEntries(kind, driver))} limit {OneMore}
            """;
    }

    // Every field as the jsonb it would be in the document's JSON form, so that one set of functions serves all.
    private static Sql JsonOf(FieldPath field) => field.CoreField switch
    {
        CoreField.None => SqlFilter.ValueAt(field),
        CoreField.Id => $"to_jsonb(d.id::text)",
        CoreField.Collection => $"to_jsonb(d.collection)",
        CoreField.Owner => $"to_jsonb(d.owner_did)",
        CoreField.App => $"to_jsonb(nullif(d.app_did, ''))",
        CoreField.Key => $"to_jsonb(d.key)",
        CoreField.CreateTime => Time($"d.create_time"),
        CoreField.UpdateTime => Time($"d.update_time"),
        _ => $"to_jsonb(d.revision)",
    };

    private static Sql Time(Sql column) => $"""to_jsonb(to_char({column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))""";

    private static Sql Result(AggregateColumn aggregate, Sql? value) => aggregate.Function switch
    {
        Aggregation.Types.Function.Sum => $"(select coalesce(sum({Numeric(value!)}), 0) from looked_at)",
        Aggregation.Types.Function.Avg => $"(select avg({Numeric(value!)}) from looked_at)",
        Aggregation.Types.Function.Min => Extreme(value!, $""),
        Aggregation.Types.Function.Max => Extreme(value!, $" desc"),
        _ => value is null ? (Sql)$"(select count(*) from looked_at)" : $"(select count({value}) from looked_at)",
    };

    // As numeric: a sum of doubles depends on the order of the rows, and is an error when it overflows.
    private static Sql Numeric(Sql value) => $"case when jsonb_typeof({value}) = 'number' then {value}::numeric end";

    private static Sql Extreme(Sql value, Sql direction)
    {
        var keys = SqlOrder.JsonExpressions(value);
        return $"""
            (select {value} from looked_at where jsonb_typeof({value}) in ('boolean', 'number', 'string')
             order by {Sql.Join($", ", keys.Select(key => (Sql)$"{key}{direction}"))} limit 1)
            """;
    }
}
