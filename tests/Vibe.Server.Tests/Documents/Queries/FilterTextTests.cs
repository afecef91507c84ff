using Grpc.Core;
using Vibe.Server.Documents.Queries;

namespace Vibe.Server.Tests.Documents.Queries;

public sealed class FilterTextTests
{
    [Theory]
    [InlineData("", "true")]
    [InlineData("data.a = 1 or data.b = 2 and not data.c = 3", "data.a = 1 or data.b = 2 and data.c != 3")]
    [InlineData("(data.a = 1 or data.b == 2) && !(exists data.c || data.d in [1,'x',null])", "(data.a = 1 or data.b = 2) and not (exists data.c or data.d in [1, \"x\", null])")]
    [InlineData("data.a=1 AND (data.b=2 AND (data.c=3))", "data.a = 1 and data.b = 2 and data.c = 3")]
    [InlineData("not not data.a > 1", "data.a > 1")]
    [InlineData("true and data.a starts_with 'Li'", "data.a starts_with \"Li\"")]
    [InlineData("false or (true and false)", "false")]
    [InlineData("data.`odd key`.`plain`.`a``b`.`` = 'it\\'s \\u00e9'", "data.`odd key`.plain.`a``b`.`` = \"it's é\"")]
    [InlineData("create_time >= '2026-01-31T13:30:00.1234567+01:00'", "create_time >= \"2026-01-31T12:30:00.123456Z\"")]
    [InlineData("data.x in [-0, 1e2, 0.1e-6, 1E21, 123456789012345678901]", "data.x in [0, 100, 1e-7, 1e+21, 123456789012345680000]")]
    [InlineData("data.and = 1 and data.in in []", "data.and = 1 and data.in in []")]
    public void Text_has_one_canonical_form(string text, string canonical)
    {
        var node = QueryReader.Filter(text, "filter");

        Assert.Equal(canonical, FilterPrinter.Print(node));
        Assert.Equal(canonical, FilterPrinter.Print(QueryReader.Filter(canonical, "filter")));
    }

    [Theory]
    [InlineData("data.a", "at character 7: expected an operator")]
    [InlineData("data.a = ", "at character 10: expected a value")]
    [InlineData("create_time > 'yesterday'", "at character 15: a time is an RFC 3339 string")]
    public void What_is_wrong_is_said_with_its_place(string text, string message)
    {
        var exception = Assert.Throws<QuerySyntaxException>(() => FilterParser.Parse(text, "filter"));

        Assert.StartsWith(message, exception.Message, StringComparison.Ordinal);
        Assert.Equal("filter", exception.Field);
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => QueryReader.Filter(text, "filter")).StatusCode);
    }

    [Fact]
    public void Limits_of_the_contract_hold()
    {
        static string Many(int count) => string.Join(" or ", Enumerable.Repeat("data.a = 1", count));
        static string Nested(int levels) => string.Concat(Enumerable.Repeat("not (", levels / 2)) + "data.a = 1 or data.b = 2"
            + new string(')', levels / 2);
        static string Items(int count) => $"data.a in [{string.Join(',', Enumerable.Repeat("1", count))}]";
        static string Path(int keys) => $"data{string.Concat(Enumerable.Repeat(".k", keys))} = 1";

        Assert.All([Many(100), Nested(8), Items(100), Path(20)], text => QueryReader.Filter(text, "filter"));
        Assert.All(
            [Many(101), Nested(12), new string('(', 5000), Items(101), Path(21), $"data.a = '{new string('x', 8192)}'"],
            text => Assert.Throws<RpcException>(() => QueryReader.Filter(text, "filter")));
    }

    [Fact]
    public void Printing_and_parsing_a_canonical_filter_is_identity()
    {
        var random = new RandomQueries(1);
        for (var i = 0; i < 5000; i++)
        {
            var canonical = FilterForm.Canonical(random.Filter());
            var text = FilterPrinter.Print(canonical);
            var parsed = FilterForm.Canonical(FilterParser.Parse(text, "filter"));

            Assert.Equal(FilterMessage.Write(canonical), FilterMessage.Write(parsed));
            Assert.Equal(FilterMessage.Write(canonical), FilterMessage.Write(FilterForm.Canonical(canonical)));
            Assert.Equal(FilterMessage.Write(canonical), FilterMessage.Write(QueryReader.Filter(FilterMessage.Write(canonical), "filter")));
        }
    }

    [Fact]
    public void Canonical_form_means_the_same()
    {
        var random = new RandomQueries(2);
        for (var i = 0; i < 2000; i++)
        {
            var filter = random.Filter();
            var document = RandomQueries.View(random.Body().ToJsonString());

            Assert.Equal(filter.Matches(document), FilterForm.Canonical(filter).Matches(document));
        }
    }

    [Fact]
    public void The_parser_throws_nothing_but_its_own_error()
    {
        var random = new RandomQueries(3);
        const string Characters = "()[]<>=!&|,.'\"`\\ \n\t\0a1-+eEdatain.\ud83d\ude00\u00e9uU";
        for (var i = 0; i < 20_000; i++)
        {
            var text = i % 2 == 0 ? "" : FilterPrinter.Print(random.Filter(2));
            for (var edits = 1 + random.Next(8); edits > 0; edits--)
            {
                var at = random.Next(text.Length + 1);
                text = random.Next(3) switch
                {
                    0 => text.Insert(at, Characters[random.Next(Characters.Length)].ToString()),
                    1 => text[..at],
                    _ => text.Remove(at, Math.Min(random.Next(3), text.Length - at)),
                };
            }

            try
            {
                FilterParser.Parse(text, "filter");
                OrderText.Parse(text, "order_by");
            }
            catch (QuerySyntaxException)
            {
            }
        }
    }

    [Theory]
    [InlineData("", "create_time desc")]
    [InlineData(" data.name , create_time DESC", "data.name, create_time desc")]
    [InlineData("data.`odd key` asc,id desc", "data.`odd key`, id desc")]
    public void Orders_have_one_canonical_form(string text, string canonical) =>
        Assert.Equal(canonical, QueryReader.Order(text, "order_by").ToString());

    [Theory]
    [InlineData("data.a,")]
    [InlineData(",data.a")]
    [InlineData("data.a down")]
    [InlineData("data.a desc desc")]
    [InlineData("data.a, data.a desc")]
    [InlineData("a")]
    [InlineData("data.a,data.b,data.c,data.d,data.e,data.f")]
    public void Orders_that_are_not_valid_are_refused(string text) =>
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => QueryReader.Order(text, "order_by")).StatusCode);

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1e21, "1e+21")]
    [InlineData(1e20, "100000000000000000000")]
    [InlineData(1.5e-7, "1.5e-7")]
    [InlineData(0.000001, "0.000001")]
    [InlineData(123.456, "123.456")]
    [InlineData(-1.7976931348623157e308, "-1.7976931348623157e+308")]
    [InlineData(5e-324, "5e-324")]
    public void Numbers_print_as_in_ECMAScript(double value, string text) => Assert.Equal(text, FilterPrinter.Print(value));
}
