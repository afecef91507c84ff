using Vibe.Client.Live;
using Vibe.Client.Tests.Support;
using Vibe.Documents.V1;

namespace Vibe.Client.Tests.Vectors;

public sealed class OrderVectorTests
{
    public static TheoryData<string> Cases() =>
        [.. Repository.Vector("filter", "order.json")["cases"]!.AsArray().Select(static found => (string)found!["canonical"]!).Distinct()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_list_has_the_order_of_the_vector(string canonical)
    {
        var vectors = Repository.Vector("filter", "order.json");
        var expected = vectors["cases"]!.AsArray().First(found => (string?)found!["canonical"] == canonical)!["order"]!.AsArray().Select(static name => (string)name!);
        var documents = FilterVectors.Documents(vectors);
        var names = documents.ToDictionary(static pair => pair.Value, static pair => pair.Key);
        List<Document> sorted = [.. documents.Values];

        sorted.Sort(new DocumentOrder(FilterVectors.Order(canonical)));

        Assert.Equal(expected, sorted.Select(document => names[document]));
    }
}
