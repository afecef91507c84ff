using System.Text.Json.Nodes;
using Google.Protobuf;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents.Queries;

namespace Vibe.Server.Tests.Documents.Queries;

[Collection(PostgresCollection.Name)]
public sealed class FilterVectorTests(EmbeddedClusterFixture postgres)
{
    private static readonly string[] Names = ["types", "strings", "core-fields", "logic", "numbers"];

    public static TheoryData<string> Filters => [.. Names];

    [Theory]
    [MemberData(nameof(Filters))]
    public void Texts_have_their_canonical_form_and_message(string name)
    {
        var vectors = FilterVectors.Load(name);
        foreach (var item in vectors["cases"]!.AsArray())
        {
            var filter = QueryReader.Filter((string)item!["text"]!, "filter");
            var canonical = FilterPrinter.Print(filter);
            var message = JsonFormatter.Default.Format(FilterMessage.Write(filter));
            if (FilterVectors.AreToBeUpdated)
            {
                item["canonical"] = canonical;
                item["message"] = JsonNode.Parse(message);
            }

            Assert.Equal((string?)item["canonical"], canonical);
            Assert.Equal(canonical, FilterPrinter.Print(QueryReader.Filter(canonical, "filter")));
            var parsed = JsonParser.Default.Parse<Filter>(item["message"]!.ToJsonString());
            Assert.Equal(FilterMessage.Write(filter), parsed);
            Assert.Equal(canonical, FilterPrinter.Print(QueryReader.Filter(parsed, "filter")));
        }

        if (FilterVectors.AreToBeUpdated)
        {
            FilterVectors.Save(name, vectors);
        }
    }

    [Theory]
    [MemberData(nameof(Filters))]
    public void The_evaluator_finds_the_documents(string name)
    {
        var vectors = FilterVectors.Load(name);
        var documents = FilterVectors.Documents(vectors);
        foreach (var item in vectors["cases"]!.AsArray())
        {
            var filter = QueryReader.Filter((string)item!["text"]!, "filter");
            Assert.Equal(Named(item), documents.Where(document => filter.Matches(document.Value)).Select(document => document.Key));
        }
    }

    [Fact]
    public async Task PostgreSQL_finds_the_documents()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        foreach (var name in Names.Append("order"))
        {
            var vectors = FilterVectors.Load(name);
            var rows = Rows(FilterVectors.Documents(vectors));
            foreach (var item in vectors["cases"]!.AsArray())
            {
                var text = (string)item!["text"]!;
                var order = SqlOrder.Columns(QueryReader.Order(name == "order" ? text : "id", "order_by"), OrderSource.Document);
                var filter = name == "order" ? FilterNode.True : QueryReader.Filter(text, "filter");
                var found = await database.Admin.QueryAsync(
                    $"select d.name from {rows} where {SqlFilter.Compile(filter)} order by {SqlOrder.OrderBy(order)}",
                    static row => row.GetString(0),
                    CancellationToken.None);

                var expected = name == "order" ? Named(item, "order") : Named(item).Order(StringComparer.Ordinal);
                Assert.Equal(expected, name == "order" ? found : found.Order(StringComparer.Ordinal));
            }
        }
    }

    [Fact]
    public void The_comparer_orders_the_documents()
    {
        var vectors = FilterVectors.Load("order");
        var documents = FilterVectors.Documents(vectors);
        foreach (var item in vectors["cases"]!.AsArray())
        {
            var order = QueryReader.Order((string)item!["text"]!, "order_by");
            if (FilterVectors.AreToBeUpdated)
            {
                item["canonical"] = order.ToString();
            }

            Assert.Equal((string?)item["canonical"], order.ToString());
            Assert.Equal(
                Named(item, "order"),
                documents.OrderBy(document => order.PlaceOf(document.Value), Comparer<Place>.Create(order.Compare)).Select(document => document.Key));
        }

        if (FilterVectors.AreToBeUpdated)
        {
            FilterVectors.Save("order", vectors);
        }
    }

    [Fact]
    public void Texts_that_are_no_filter_are_refused()
    {
        foreach (var item in FilterVectors.Load("errors")["cases"]!.AsArray())
        {
            var exception = Assert.Throws<QuerySyntaxException>(() => FilterParser.Parse((string)item!["text"]!, "filter"));
            Assert.StartsWith((string)item!["error"]!, exception.Message, StringComparison.Ordinal);
        }
    }

    private static IEnumerable<string> Named(JsonNode item, string property = "matches") =>
        item[property]!.AsArray().Select(name => (string)name!);

    private static Sql Rows(Dictionary<string, DocumentView> documents)
    {
        var json = FilterVectors.Rows(documents);
        return $"""
            jsonb_to_recordset({json}) d(name text, id uuid, collection text, owner_did text, app_did text, key text,
              create_time timestamptz, update_time timestamptz, revision bigint, data jsonb)
            """;
    }
}
