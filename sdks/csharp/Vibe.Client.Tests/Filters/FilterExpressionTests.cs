using System.Linq.Expressions;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Vibe.Client.Filters;

namespace Vibe.Client.Tests.Filters;

public sealed class FilterExpressionTests
{
    private static readonly string[] Names = ["open", "held"];
    private static readonly DateTimeOffset Noon = new(2026, 1, 31, 12, 0, 0, TimeSpan.FromHours(2));
    private readonly JsonSerializerOptions _json = new VibeOptions().Json;

    private enum State
    {
        Open,
        Held,
    }

    [Fact]
    public void Comparisons()
    {
        Says(n => n.Title == "a", "data.title = \"a\"");
        Says(n => "a" == n.Title, "data.title = \"a\"");
        Says(n => n.Title != "it's \"quoted\" ü", "data.title != \"it's \\\"quoted\\\" ü\"");
        Says(n => n.Count > 3, "data.count > 3");
        Says(n => 3 < n.Count, "data.count > 3");
        Says(n => n.Count >= -1.5, "data.count >= -1.5");
        Says(n => n.Price <= 1.10m, "data.price <= 1.10");
        Says(n => n.Rating < 5, "data.rating < 5");
        Says(n => n.Place!.City == "Porto", "data.place.city = \"Porto\"");
        Says(n => string.CompareOrdinal(n.Title, "m") >= 0, "data.title >= \"m\"");
        Says(n => n.Title.Equals("a"), "data.title = \"a\"");
        Says(n => n.Id == new Guid("01900000-0000-7000-8000-00000000000a"), "data.id = \"01900000-0000-7000-8000-00000000000a\"");
        Says(n => n.Letter == 'x', "data.letter = \"x\"");
    }

    [Fact]
    public void Values_are_computed_here()
    {
        var wanted = new Note { Title = "x", Place = new Place("Lyon") };
        var count = 4;
        Says(n => n.Title == wanted.Title + "!", "data.title = \"x!\"");
        Says(n => n.Place!.City == wanted.Place!.City.ToUpperInvariant(), "data.place.city = \"LYON\"");
        Says(n => n.Count == count * 2, "data.count = 8");
    }

    [Fact]
    public void Names_are_those_of_the_JSON()
    {
        Says(n => n.Renamed == 1, "data.`odd key` = 1");
        Says(n => n.Extra["a`b"] == "c", "data.extra.`a``b` = \"c\"");
        SaysOf<JsonObject>(n => (string?)n["title"] == "a" && n["place"]!["x1"]!.GetValue<int>() > 2, "data.title = \"a\" and data.place.x1 > 2");
    }

    [Fact]
    public void Bools()
    {
        Says(n => n.Done, "data.done = true");
        Says(n => !n.Done, "data.done != true");
        Says(n => n.Maybe != true, "data.maybe != true");
        Says(n => n.Maybe == false, "data.maybe = false");
        Says(n => n.Done && n.Maybe!.Value, "data.done = true and data.maybe = true");
        Says(_ => true, "true");
        Says(n => n.Done && false, "false");
    }

    [Fact]
    public void And_or_not_bind_as_in_text()
    {
        Says(n => n.Done && (n.Count == 1 || n.Count == 2), "data.done = true and (data.count = 1 or data.count = 2)");
        Says(n => (n.Done && n.Count == 1) || n.Count == 2, "data.done = true and data.count = 1 or data.count = 2");
        Says(n => !(n.Count > 1 && n.Done), "not (data.count > 1 and data.done = true)");
        Says(n => !!n.Title.StartsWith("a"), "data.title starts_with \"a\"");
        Says(n => n.Done & n.Count == 1 | n.Count == 2, "data.done = true and data.count = 1 or data.count = 2");
    }

    [Fact]
    public void Null_is_absent_or_null()
    {
        Says(n => n.Maybe == null, "not (exists data.maybe and data.maybe != null)");
        Says(n => n.Title != null, "exists data.title and data.title != null");
        Says(n => n.Maybe.HasValue, "exists data.maybe and data.maybe != null");
        Says(n => VibeFilter.Exists(n.Maybe), "exists data.maybe");
    }

    [Fact]
    public void Texts_and_lists()
    {
        IReadOnlyList<int> counts = [1, 2];
        Says(n => n.Title.StartsWith("a", StringComparison.Ordinal), "data.title starts_with \"a\"");
        Says(n => VibeFilter.Match(n.Title, "big city"), "data.title match \"big city\"");
        Says(n => n.Tags.Contains("new"), "data.tags contains \"new\"");
        Says(n => n.Array.Contains(3), "data.array contains 3");
        Says(n => Names.Contains(n.Title), "data.title in [\"open\", \"held\"]");
        Says(n => counts.Contains(n.Count), "data.count in [1, 2]");
        Says(n => new[] { "x" }.Contains(n.Title), "data.title in [\"x\"]");
        Says(n => new List<string>().Contains(n.Title), "data.title in []");
    }

    [Fact]
    public void Enums_are_what_they_are_stored_as()
    {
        Says(n => n.State == State.Held, "data.state = 1");
        Says(n => n.Named == State.Held, "data.named = \"Held\"");
        Says(n => n.Named != null, "exists data.named and data.named != null");
        var states = new[] { State.Open };
        Says(n => states.Contains(n.State), "data.state in [0]");
        var json = new JsonSerializerOptions(_json) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };
        Expression<Func<Note, bool>> held = n => n.State == State.Held;
        Assert.Equal("data.state = \"held\"", new FilterTranslator(json).Translate(held).ToString());
    }

    [Fact]
    public void The_document_around_the_body()
    {
        Says((n, d) => d.CreateTime > Noon && n.Done, "create_time > \"2026-01-31T10:00:00Z\" and data.done = true");
        Says((n, d) => d.UpdateTime <= Noon.AddTicks(1), "update_time <= \"2026-01-31T10:00:00.0000001Z\"");
        Says((_, d) => d.Owner == "did:web:a" && d.Revision > 1, "owner = \"did:web:a\" and revision > 1");
        Says((_, d) => d.Data.Title == "a", "data.title = \"a\"");
        Says((_, d) => new[] { "a", "b" }.Contains(d.Id), "id in [\"a\", \"b\"]");
    }

    [Fact]
    public void A_text_of_the_callers_own_stays_as_it_is()
    {
        using var vibe = new VibeClient("http://127.0.0.1:1");
        var notes = vibe.Collection<Note>("notes");
        Assert.Equal("data.a = 1 or data.b = 2", notes.Where("data.a = 1 or data.b = 2").Spec.FilterText);
        Assert.Equal("(data.a = 1 or data.b = 2) and data.done = true", notes.Where("data.a = 1 or data.b = 2").Where(n => n.Done).Spec.FilterText);
        Assert.Equal("", notes.Spec.FilterText);
    }

    [Fact]
    public void Orders()
    {
        using var vibe = new VibeClient("http://127.0.0.1:1");
        var notes = vibe.Collection<Note>("notes");
        Assert.Equal("data.title, data.count desc", notes.OrderBy(n => n.Title).ThenByDescending(n => n.Count).Spec.OrderText);
        Assert.Equal("create_time desc", notes.OrderBy(n => n.Title).OrderByDescending((_, d) => d.CreateTime).Spec.OrderText);
        var failure = Assert.Throws<NotSupportedException>(() => notes.OrderBy(n => n.Title.Length));
        Assert.Contains("n.Title.Length", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Unsupported))]
    public void What_cannot_be_said_is_named(LambdaExpression condition, string part)
    {
        var failure = Assert.Throws<NotSupportedException>(() => new FilterTranslator(_json).Translate(condition));
        Assert.Contains($"`{part}`", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_would_give_another_answer_than_it_says_is_refused()
    {
        Assert.Contains("a time in a body is text", Refusal(n => n.Due < Noon), StringComparison.Ordinal);
        int? none = null;
        Assert.Contains("nothing is less or greater than null", Refusal(n => n.Rating < none), StringComparison.Ordinal);
        Assert.Contains("a Place is no null, bool, number or text", Refusal(n => n.Place == new Place("x")), StringComparison.Ordinal);

        string Refusal(Expression<Func<Note, bool>> condition) =>
            Assert.Throws<NotSupportedException>(() => new FilterTranslator(_json).Translate(condition)).Message;
    }

    public static TheoryData<LambdaExpression, string> Unsupported() => new()
    {
        { Of(n => n.Title.Length > 3), "n.Title.Length" },
        { Of(n => n.Title.Contains("a")), "n.Title.Contains(\"a\")" },
        { Of(n => n.Title.ToUpperInvariant() == "A"), "(n.Title.ToUpperInvariant() == \"A\")" },
        { Of(n => n.Title.StartsWith("a", StringComparison.OrdinalIgnoreCase)), "n.Title.StartsWith(\"a\", OrdinalIgnoreCase)" },
        { Of(n => n.Count + 1 > 3), "((n.Count + 1) > 3)" },
        { Of(n => n.Title == n.Place!.City), "(n.Title == n.Place.City)" },
        { Of(n => n.Ignored == 1), "n.Ignored" },
        { Of(n => n.Tags.Any(tag => tag == "x")), "n.Tags.Any(tag => (tag == \"x\"))" },
    };

    private static LambdaExpression Of(Expression<Func<Note, bool>> condition) => condition;

    private void Says(Expression<Func<Note, bool>> condition, string text) => SaysOf(condition, text);

    private void SaysOf<T>(Expression<Func<T, bool>> condition, string text) =>
        Assert.Equal(text, new FilterTranslator(_json).Translate(condition).ToString());

    private void Says(Expression<Func<Note, Document<Note>, bool>> condition, string text) =>
        Assert.Equal(text, new FilterTranslator(_json).Translate(condition).ToString());

    private sealed record Place(string City);

    private sealed class Note
    {
        public string Title { get; init; } = "";

        public Guid Id { get; init; }

        public char Letter { get; init; }

        public bool Done { get; init; }

        public bool? Maybe { get; init; }

        public int Count { get; init; }

        public int? Rating { get; init; }

        public decimal Price { get; init; }

        public DateTimeOffset? Due { get; init; }

        public Place? Place { get; init; }

        public List<string> Tags { get; init; } = [];

        public int[] Array { get; init; } = [];

        public State State { get; init; }

        [JsonConverter(typeof(JsonStringEnumConverter<State>))]
        public State? Named { get; init; }

        [JsonPropertyName("odd key")]
        public int Renamed { get; init; }

        public Dictionary<string, string> Extra { get; init; } = [];

        [JsonIgnore]
        public int Ignored { get; init; }
    }
}
