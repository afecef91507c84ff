using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text;
using Vibe.Client.Documents;
using Vibe.Client.Tests.Support;

namespace Vibe.Client.Tests.Vectors;

/// <summary>The vectors of the JSON codec, as far as they are about bodies of documents.</summary>
public sealed class JsonVectorTests
{
    public static TheoryData<string> Cases()
    {
        var rows = new TheoryData<string>();
        foreach (var found in Vectors())
        {
            rows.Add((string)found["what"]!);
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_body_becomes_what_the_vector_says(string what)
    {
        var vector = Vectors().Single(found => (string?)found["what"] == what);
        var input = (string)vector["input"]!;
        if (vector["error"] is not null)
        {
            var failure = Record.Exception(() => RoundTrip(input, (string?)vector["message"]));
            Assert.True(failure is JsonException or VibeException, failure?.ToString() ?? $"{input} was taken");
            return;
        }

        Assert.Equal(Repository.Canonical(JsonNode.Parse((string)vector["output"]!)), Repository.Canonical(JsonNode.Parse(RoundTrip(input, (string?)vector["message"]))));
    }

    [Theory]
    [InlineData("9007199254740992", "9007199254740992")]
    [InlineData("-9007199254740992", "-9007199254740992")]
    [InlineData("9007199254740994", "9007199254740994")]
    [InlineData("1e21", "1E+21")]
    [InlineData("1e300", "1E+300")]
    [InlineData("1e15", "1000000000000000")]
    [InlineData("5.0", "5")]
    [InlineData("0.1", "0.1")]
    [InlineData("-0.0", "0")]
    public void Numbers_are_doubles(string input, string output) => Assert.Equal(output, RoundTrip(input));

    [Theory]
    [InlineData("9007199254740993")]
    [InlineData("-9007199254740993")]
    [InlineData("9223372036854775807")]
    [InlineData("1e999")]
    public void A_number_that_is_no_double_is_refused_and_not_rounded(string input)
    {
        var failure = Assert.Throws<VibeException>(() => RoundTrip(input));
        Assert.Equal("INVALID_ARGUMENT", failure.Reason);
        Assert.Equal("data", Assert.Single(failure.Fields).Field);
    }

    private static IEnumerable<JsonObject> Vectors() => Repository.Vector("json", "dynamic-types.json")["cases"]!.AsArray()
        .Select(static found => found!.AsObject())
        .Where(static found => (string?)found["message"] is "google.protobuf.Value" or "google.protobuf.Struct");

    private static string RoundTrip(string json, string? message = null)
    {
        using var document = JsonDocument.Parse(json);
        if (message == "google.protobuf.Struct")
        {
            return Encoding.UTF8.GetString(JsonBody.ToJson(JsonBody.ToStruct(document.RootElement, new VibeOptions().Json)).Span);
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            JsonBody.Write(writer, JsonBody.ToValue(document.RootElement, "data"));
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
