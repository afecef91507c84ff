using System.Collections.Immutable;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// Where the columns of an order come from: the document, an index entry of one field, or an entry of the shares.
/// </summary>
/// <param name="Id">The id.</param>
/// <param name="CreateTime">The creation time.</param>
/// <param name="Indexed">The field whose index entry is there as <c>f.rank</c>, <c>f.num</c>, <c>f.str</c>.</param>
internal sealed record OrderSource(Sql Id, Sql CreateTime, FieldPath? Indexed)
{
    /// <summary>The document alone.</summary>
    public static readonly OrderSource Document = new($"d.id", $"d.create_time", null);

    /// <summary>A share: its index holds the document's id and creation time.</summary>
    public static readonly OrderSource Share = new($"a.doc_id", $"a.create_time", null);

    /// <summary>An index entry; <paramref name="path"/> is null when only its document's id and creation time are there.</summary>
    public static OrderSource Entry(FieldPath? path) => new($"f.doc_id", $"f.create_time", path);
}

/// <summary>One SQL column of an order; a key takes one or three, the id is the last.</summary>
/// <param name="Expression">What to order by.</param>
/// <param name="Alias">Its name in the result.</param>
/// <param name="Descending">Largest first.</param>
internal sealed record SqlOrderColumn(Sql Expression, Sql Alias, bool Descending);

/// <summary>An order as SQL: ORDER BY lists, the condition of a next page, and the place of a row read back.</summary>
internal static class SqlOrder
{
    // Literal names, because only literal text goes into SQL; five keys is the limit, the creation time the sixth.
    private static readonly Sql[][] Aliases =
    [
        [$"order_0_rank", $"order_0_num", $"order_0_str"],
        [$"order_1_rank", $"order_1_num", $"order_1_str"],
        [$"order_2_rank", $"order_2_num", $"order_2_str"],
        [$"order_3_rank", $"order_3_num", $"order_3_str"],
        [$"order_4_rank", $"order_4_num", $"order_4_str"],
        [$"order_5_rank", $"order_5_num", $"order_5_str"],
    ];

    /// <summary>The columns, the id last.</summary>
    public static ImmutableArray<SqlOrderColumn> Columns(DocumentOrder order, OrderSource source)
    {
        var columns = ImmutableArray.CreateBuilder<SqlOrderColumn>();
        for (var i = 0; i < order.Keys.Length; i++)
        {
            var expressions = Expressions(order.Keys[i].Field, source);
            for (var j = 0; j < expressions.Length; j++)
            {
                columns.Add(new SqlOrderColumn(expressions[j], Aliases[i][j], order.Keys[i].Descending));
            }
        }

        columns.Add(new SqlOrderColumn(source.Id, $"order_id", order.IdDescending));
        return columns.ToImmutable();
    }

    /// <summary>What to select: <c>expression as alias, …</c>.</summary>
    public static Sql Select(ImmutableArray<SqlOrderColumn> columns) =>
        Sql.Join($", ", columns.Select(column => (Sql)$"{column.Expression} as {column.Alias}"));

    /// <summary>The ORDER BY list over the expressions.</summary>
    public static Sql OrderBy(ImmutableArray<SqlOrderColumn> columns) =>
        Sql.Join($", ", columns.Select(column => column.Descending ? (Sql)$"{column.Expression} desc" : column.Expression));

    /// <summary>The ORDER BY list over the aliases.</summary>
    public static Sql OrderByAlias(ImmutableArray<SqlOrderColumn> columns) =>
        Sql.Join($", ", columns.Select(column => column.Descending ? (Sql)$"{column.Alias} desc" : column.Alias));

    /// <summary>The condition of the rows after a place.</summary>
    public static Sql After(DocumentOrder order, ImmutableArray<SqlOrderColumn> columns, Place place)
    {
        var values = Values(order, place);
        var runs = new List<(Sql Columns, Sql Values, bool Descending)>();
        for (var i = 0; i < columns.Length;)
        {
            var end = i;
            while (end < columns.Length && columns[end].Descending == columns[i].Descending)
            {
                end++;
            }

            runs.Add((
                Sql.Join($", ", columns[i..end].Select(column => column.Expression)),
                Sql.Join($", ", values[i..end]),
                columns[i].Descending));
            i = end;
        }

        var condition = Strictly(runs[^1]);
        for (var i = runs.Count - 2; i >= 0; i--)
        {
            condition = $"({Strictly(runs[i])} or (({runs[i].Columns}) = ({runs[i].Values}) and {condition}))";
        }

        // Says again what the OR implies, in a form an index can start from.
        return runs.Count == 1 ? condition : $"({OrEqual(runs[0])} and {condition})";
    }

    /// <summary>Reads the place of a row whose order columns start at <paramref name="column"/>.</summary>
    public static Place Read(DocumentOrder order, Row row, int column)
    {
        var values = ImmutableArray.CreateBuilder<OrderValue>(order.Keys.Length);
        foreach (var key in order.Keys)
        {
            values.Add(Read(key.Field, row, column));
            column += Width(key.Field);
        }

        return new Place(values.MoveToImmutable(), row.GetGuid(column));
    }

    /// <summary>How many columns the order takes, the id among them.</summary>
    public static int Width(DocumentOrder order) => order.Keys.Sum(key => Width(key.Field)) + 1;

    /// <summary>The rank, number and text by which a value in the body orders, typed as in an index entry.</summary>
    public static ImmutableArray<Sql> JsonExpressions(Sql value) =>
    [
        $"""
        (case jsonb_typeof({value}) when 'boolean' then case when {value}::bool then 2 else 1 end
          when 'number' then 3 when 'string' then 4 else 0 end)::smallint
        """,
        $"case when jsonb_typeof({value}) = 'number' then {value}::float8 else 0 end",
        $"case when jsonb_typeof({value}) = 'string' then left({value} #>> '{{}}', 500) else '' end collate \"C\"",
    ];

    private static int Width(FieldPath field) => field.CoreField == CoreField.None ? 3 : 1;

    private static ImmutableArray<Sql> Expressions(FieldPath field, OrderSource source) => field.CoreField switch
    {
        CoreField.None when field.Equals(source.Indexed) => [$"f.rank", $"f.num", $"f.str"],
        CoreField.None => JsonExpressions(SqlFilter.ValueAt(field)),
        CoreField.Id => [source.Id],
        CoreField.Collection => [$"d.collection collate \"C\""],
        CoreField.Owner => [$"left(d.owner_did, 500) collate \"C\""],
        // Neither is ever empty, so that the empty string can stand for absent.
        CoreField.App => [$"left(coalesce(d.app_did, ''), 500) collate \"C\""],
        CoreField.Key => [$"left(coalesce(d.key, ''), 500) collate \"C\""],
        CoreField.CreateTime => [source.CreateTime],
        CoreField.UpdateTime => [$"d.update_time"],
        _ => [$"d.revision"],
    };

    private static List<Sql> Values(DocumentOrder order, Place place)
    {
        List<Sql> values = [];
        for (var i = 0; i < order.Keys.Length; i++)
        {
            var value = place.Values[i];
            switch (order.Keys[i].Field.CoreField)
            {
                case CoreField.None:
                    values.AddRange([$"{(int)value.Rank}", $"{value.Number}", $"{value.Text}"]);
                    break;
                case CoreField.Id:
                    values.Add($"{place.Id}");
                    break;
                case CoreField.CreateTime or CoreField.UpdateTime:
                    values.Add($"{new DateTimeOffset(TimeText.ToDateTime(value.Integer))}");
                    break;
                case CoreField.Revision:
                    values.Add($"{value.Integer}");
                    break;
                default:
                    values.Add($"{value.Text}");
                    break;
            }
        }

        values.Add($"{place.Id}");
        return values;
    }

    private static OrderValue Read(FieldPath field, Row row, int column)
    {
        switch (field.CoreField)
        {
            case CoreField.None:
                return new OrderValue((byte)row.GetInt32(column), row.GetDouble(column + 1), 0, row.GetString(column + 2));
            case CoreField.Id:
                return new OrderValue(OrderRank.Text, 0, 0, row.GetGuid(column).ToString());
            case CoreField.CreateTime or CoreField.UpdateTime:
                return new OrderValue(OrderRank.Number, 0, TimeText.FromDateTime(row.GetTimestamp(column).UtcDateTime), "");
            case CoreField.Revision:
                return new OrderValue(OrderRank.Number, 0, row.GetInt64(column), "");
            default:
                var text = row.GetString(column);
                return new OrderValue(text.Length == 0 ? OrderRank.Other : OrderRank.Text, 0, 0, text);
        }
    }

    private static Sql Strictly((Sql Columns, Sql Values, bool Descending) run) =>
        run.Descending ? (Sql)$"({run.Columns}) < ({run.Values})" : $"({run.Columns}) > ({run.Values})";

    private static Sql OrEqual((Sql Columns, Sql Values, bool Descending) run) =>
        run.Descending ? (Sql)$"({run.Columns}) <= ({run.Values})" : $"({run.Columns}) >= ({run.Values})";
}
