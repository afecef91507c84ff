using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vibe.Documents.V1;
using Vibe.Server.Documents.Queries;

namespace Vibe.Server.Tests.Documents.Queries;

/// <summary>Documents, filters and orders that meet often: few names, few values, and those where executors could differ.</summary>
internal sealed class RandomQueries(int seed)
{
    private static readonly string[] Keys = ["a", "b", "c", "odd key", "tick`", "é", "0"];

    public static readonly double[] Numbers =
    [
        0, -0.0, 1, -1, 2, 0.1, 0.30000000000000004, 9007199254740993, 1e21, -1e-7, double.MaxValue, double.MinValue, double.Epsilon, 1e300,
    ];

    public static readonly string[] Texts =
    [
        "", "a", "A", "ab", "abc", "b", "Lisbon", "li", "é", "E\u0301", "\uE000", "\uFFFD", "😀", "😀a", "big city", "Big, CITY!", "naïve Élan élan",
        "x\ny\t\"\\", "a'b", "$1", "'; drop table vibe.documents; --", "{}", "null", "true", "1", "\u007f~", "İstanbul istanbul", "\u0001",
        new string('x', 499) + "a", new string('x', 500), new string('x', 500) + "a", new string('x', 500) + "b", string.Concat(Enumerable.Repeat("😀", 501)),
    ];

    private readonly Random _random = new(seed);

    /// <summary>Ids and times that documents have, for comparisons with them.</summary>
    public List<string> KnownIds { get; } = ["0190a000-0000-7000-8000-000000000000", "0190A000-0000-7000-8000-000000000000", "01"];

    /// <summary>Strings that documents have as owner, app or key.</summary>
    public List<string> KnownNames { get; } = ["did:web:alice", "k1"];

    /// <summary>Times that documents have.</summary>
    public List<long> KnownTimes { get; } = [0, 1_767_225_600_000_000];

    public int Next(int below) => _random.Next(below);

    public T Pick<T>(IReadOnlyList<T> list) => list[_random.Next(list.Count)];

    public JsonObject Body(int depth = 3)
    {
        var body = new JsonObject();
        foreach (var key in Keys)
        {
            if (_random.Next(3) > 0)
            {
                body[key] = Json(depth);
            }
        }

        return body;
    }

    public FieldPath Path()
    {
        string[] names = ["id", "collection", "owner", "app", "key", "create_time", "update_time", "revision"];
        return _random.Next(4) == 0 ? FieldPath.Of(Pick(names), []) : DataPath();
    }

    public FieldPath DataPath() =>
        FieldPath.Of("data", [.. Enumerable.Range(0, _random.Next(4) == 0 ? 2 : 1).Select(_ => Pick(Keys))]);

    public DocumentOrder Order()
    {
        var fields = Enumerable.Range(0, _random.Next(4)).Select(_ => Path()).Distinct();
        return DocumentOrder.Of([.. fields.Select(field => new OrderKey(field, _random.Next(2) == 0))]);
    }

    public FilterNode Filter(int depth = 4) => (depth > 0 ? _random.Next(8) : 9) switch
    {
        0 or 1 => new AndNode(List(depth)),
        2 or 3 => new OrNode(List(depth)),
        4 => new NotNode(Filter(depth - 1)),
        _ => Compare(Path()),
    };

    public CompareNode Compare(FieldPath field)
    {
        var op = (Operator)(1 + _random.Next(11));
        switch (op)
        {
            case Operator.Exists:
                return ComparisonRules.Exists(field);
            case Operator.In:
                return ComparisonRules.In(field, [.. Enumerable.Range(0, _random.Next(5)).Select(_ => Scalar(field))]);
            case Operator.StartsWith or Operator.Match:
                return ComparisonRules.Compare(field, op, JsonScalar.Of(Text(field)));
            case Operator.Contains:
                return ComparisonRules.Compare(field, op, Scalar(FieldPath.Of("data", ["a"])));
            default:
                var value = Scalar(field);
                var isNull = value.Kind == ScalarKind.Null && op is not (Operator.Eq or Operator.Ne);
                return ComparisonRules.Compare(field, op, isNull ? JsonScalar.Of(1) : value);
        }
    }

    private ImmutableArray<FilterNode> List(int depth) => [.. Enumerable.Range(0, _random.Next(4)).Select(_ => Filter(depth - 1))];

    private JsonScalar Scalar(FieldPath field) => (field.CoreField == CoreField.None ? _random.Next(8) : _random.Next(12)) switch
    {
        0 => JsonScalar.Null,
        1 => JsonScalar.Of(_random.Next(2) == 0),
        2 or 3 or 4 => JsonScalar.Of(field.CoreField == CoreField.Revision ? _random.Next(4) : Pick(Numbers)),
        _ => JsonScalar.Of(Text(field)),
    };

    private string Text(FieldPath field)
    {
        if (field.IsTime)
        {
            return TimeText.Print(Pick(KnownTimes) + _random.Next(-1, 2));
        }

        var text = field.CoreField switch
        {
            CoreField.None => Pick(Texts),
            CoreField.Id => Pick(KnownIds),
            _ => Pick(KnownNames),
        };
        return _random.Next(6) == 0 ? CodePoints.Take(text, _random.Next(text.Length + 1)) : text;
    }

    private JsonNode? Json(int depth) => _random.Next(depth > 0 ? 12 : 9) switch
    {
        0 => null,
        1 => JsonValue.Create(_random.Next(2) == 0),
        2 or 3 or 4 => JsonValue.Create(Pick(Numbers)),
        9 => new JsonArray([.. Enumerable.Range(0, _random.Next(4)).Select(_ => Json(depth - 1))]),
        10 or 11 => Body(depth - 1),
        _ => JsonValue.Create(Pick(Texts)),
    };

    /// <summary>A view over a body, with core fields to compare with.</summary>
    public static DocumentView View(string json) => new()
    {
        Id = Guid.Parse("0190a000-0000-7000-8000-000000000001"),
        Collection = "places",
        Owner = "did:web:vibe.localhost:users:alice",
        App = "did:web:vibe.localhost:apps:maps",
        Key = "k1",
        CreateTime = TimeText.Parse("2026-01-31T12:30:00.123456Z"),
        UpdateTime = TimeText.Parse("2026-02-01T00:00:00Z"),
        Revision = 3,
        Data = JsonDocument.Parse(Encoding.UTF8.GetBytes(json), DocumentView.BodyOptions).RootElement,
    };
}
