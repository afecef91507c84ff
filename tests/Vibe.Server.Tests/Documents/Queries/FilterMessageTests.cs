using Google.Protobuf.WellKnownTypes;
using Vibe.Documents.V1;
using Vibe.Server.Documents.Queries;

namespace Vibe.Server.Tests.Documents.Queries;

public sealed class FilterMessageTests
{
    [Fact]
    public void Text_nodes_nest_in_messages()
    {
        var filter = new Filter
        {
            And = new FilterList
            {
                Filters =
                {
                    new Filter { Text = "data.a = 1 and data.b > 2" },
                    new Filter { Not = new Filter { Compare = new Comparison { Field = "owner", Op = Operator.Eq, Value = Value.ForString("x") } } },
                },
            },
        };

        Assert.Equal("data.a = 1 and data.b > 2 and owner != \"x\"", FilterPrinter.Print(QueryReader.Filter(filter, "filter")));
    }

    public static TheoryData<string, Filter> Invalid => new()
    {
        { "filter", new Filter() },
        { "filter.and.filters[1]", And(Text("true"), new Filter()) },
        { "filter.and.filters[1].text", And(Text("true"), Text("data.a =")) },
        { "filter.not.compare.field", new Filter { Not = Compare("x", Operator.Eq, Value.ForNull()) } },
        { "filter.compare.op", Compare("data.a", Operator.Unspecified, Value.ForNull()) },
        { "filter.compare.op", Compare("data.a", (Operator)99, Value.ForNull()) },
        { "filter.compare.value", Compare("data.a", Operator.Eq, null) },
        { "filter.compare.value", Compare("data.a", Operator.Eq, new Value()) },
        { "filter.compare.value", Compare("data.a", Operator.Eq, Value.ForNumber(double.NaN)) },
        { "filter.compare.value", Compare("data.a", Operator.Eq, Value.ForList(Value.ForNull())) },
        { "filter.compare.value", Compare("data.a", Operator.Eq, Value.ForString("\0")) },
        { "filter.compare.value", Compare("data.a", Operator.In, Value.ForNumber(1)) },
        { "filter.compare.value", Compare("data.a", Operator.In, Value.ForList([.. Enumerable.Repeat(Value.ForNull(), 101)])) },
        { "filter.compare.value", Compare("data.a", Operator.Exists, Value.ForBool(true)) },
        { "filter.compare.value", Compare("create_time", Operator.Gt, Value.ForString("now")) },
        { "filter.or.filters", new Filter { Or = new FilterList { Filters = { Enumerable.Repeat(Text("true"), 101) } } } },
        { "filter", And([.. Enumerable.Repeat(Text(string.Join(" or ", Enumerable.Repeat("data.a = 1", 60))), 2)]) },
        { "filter" + string.Concat(Enumerable.Repeat(".not", 10)), Nested(10) },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void Errors_name_the_part(string field, Filter filter)
    {
        var exception = Assert.Throws<QuerySyntaxException>(() => FilterForm.CheckSize(FilterMessage.Read(filter, "filter"), "filter"));

        Assert.Equal(field, exception.Field);
    }

    [Fact]
    public void Ten_levels_are_not_too_many() =>
        Assert.Equal("data.a > 1", FilterPrinter.Print(QueryReader.Filter(new Filter { Not = Nested(8 - 1) }, "filter")));

    [Fact]
    public void Aggregations_are_checked_one_by_one()
    {
        Aggregation sum = new() { Alias = "total", Function = Aggregation.Types.Function.Sum, Field = "data.price" };
        Aggregation count = new() { Alias = "n", Function = Aggregation.Types.Function.Count };

        Assert.Equal(["total", "n"], AggregateReader.Read([sum, count], "aggregations").Select(column => column.Alias));
        Assert.All<IReadOnlyList<Aggregation>>(
            [
                [],
                [count, count],
                [new Aggregation(count) { Alias = "1n" }],
                [new Aggregation(count) { Function = Aggregation.Types.Function.Unspecified }],
                [new Aggregation(sum) { Field = "" }],
                [new Aggregation(sum) { Field = "price" }],
                [.. Enumerable.Range(0, 11).Select(i => new Aggregation(count) { Alias = $"n{i}" })],
            ],
            aggregations => Assert.Throws<Grpc.Core.RpcException>(() => AggregateReader.Read(aggregations, "aggregations")));
    }

    private static Filter Text(string text) => new() { Text = text };

    private static Filter And(params Filter[] filters) => new() { And = new FilterList { Filters = { filters } } };

    private static Filter Compare(string field, Operator op, Value? value) =>
        new() { Compare = new Comparison { Field = field, Op = op, Value = value } };

    private static Filter Nested(int nots)
    {
        var filter = Compare("data.a", Operator.Gt, Value.ForNumber(1));
        for (; nots > 0; nots--)
        {
            filter = new Filter { Not = filter };
        }

        return filter;
    }
}
