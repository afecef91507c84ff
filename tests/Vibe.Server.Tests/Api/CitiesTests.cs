using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Api;

/// <summary>The query line of the first example: a public collection, read without a token.</summary>
[Collection(PostgresCollection.Name)]
public sealed class CitiesTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Query = """/v1/documents?collection=cities&scope=PUBLIC&filter=data.country="PT"&order_by=data.name&page_size=5""";

    // Two places of one name: the order needs more than the name.
    private static readonly string[] Portuguese =
        ["Lisboa", "Porto", "Braga", "Évora", "Faro", "Aveiro", "Coimbra", "Viseu", "Guarda", "Porto", "Beja", "Tomar", "Águeda"];

    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task Every_page_comes_once_in_order_until_the_token_is_gone()
    {
        await FillAsync();
        var visitor = _server.Visitor();
        var names = new List<string>();
        var sizes = new List<int>();
        for (var token = (string?)""; token is not null;)
        {
            var page = (await visitor.GetAsync(Query + (token.Length == 0 ? "" : $"&page_token={token}"))).Ok();
            Assert.Equal(["documents", "nextPageToken"], page.AsObject().Select(static field => field.Key).Union(["nextPageToken"]));
            var documents = page["documents"]!.AsArray();
            sizes.Add(documents.Count);
            names.AddRange(documents.Select(static document => (string)document!["data"]!["name"]!));
            token = (string?)page["nextPageToken"];
        }

        Assert.Equal([5, 5, 3], sizes);
        Assert.Equal(Portuguese.Order(StringComparer.Ordinal), names);
    }

    private async Task FillAsync()
    {
        var places = Portuguese.Select(static name => (Country: "PT", Name: name)).Concat([(Country: "ES", Name: "Madrid"), (Country: "ES", Name: "Faro")]);
        var writes = places.Select(static place => $$$$$"""
            {"create":{"collection":"cities","data":{"country":"{{{{{place.Country}}}}}","name":"{{{{{place.Name}}}}}"},"acl":{"read":{"allow":["*"]}}}}
            """);
        (await _server.User().PostAsync("/v1/documents:batchWrite", $$"""{"writes":[{{string.Join(',', writes)}}]}""")).Ok();
    }
}
