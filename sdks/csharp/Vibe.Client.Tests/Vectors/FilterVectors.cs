using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;
using Vibe.Client.Documents;
using Vibe.Client.Filters;
using Vibe.Documents.V1;

namespace Vibe.Client.Tests.Vectors;

/// <summary>The documents of tests/vectors/filter, and texts of fields and orders.</summary>
internal static partial class FilterVectors
{
    /// <summary>The documents by name; what is left out has the values that the README says.</summary>
    public static Dictionary<string, Document> Documents(JsonObject vectors)
    {
        var documents = new Dictionary<string, Document>(StringComparer.Ordinal);
        foreach (var (name, found) in vectors["documents"]!.AsObject())
        {
            using var data = JsonDocument.Parse((found!["data"] ?? new JsonObject()).ToJsonString());
            documents[name] = new Document
            {
                Id = (string?)found["id"] ?? string.Create(CultureInfo.InvariantCulture, $"00000000-0000-7000-8000-{documents.Count + 1:x12}"),
                Collection = (string?)found["collection"] ?? "places",
                Owner = (string?)found["owner"] ?? "did:web:owner",
                App = (string?)found["app"] ?? "",
                Key = (string?)found["key"] ?? "",
                CreateTime = TimeOf(found["createTime"]),
                UpdateTime = TimeOf(found["updateTime"]),
                Revision = (long?)found["revision"] ?? 1,
                Data = JsonBody.ToValue(data.RootElement, "data").StructValue,
            };
        }

        return documents;
    }

    /// <summary>An order in canonical text.</summary>
    public static IReadOnlyList<OrderKey> Order(string text) => text.Length == 0
        ? []
        : [.. Commas().Split(text).Select(static key => key.EndsWith(" desc", StringComparison.Ordinal)
            ? new OrderKey(Field(key[..^5]), Descending: true)
            : new OrderKey(Field(key), Descending: false))];

    /// <summary>A field in canonical text.</summary>
    public static FieldPath Field(string text)
    {
        var names = Names().Matches(text).Select(static name => name.Groups[1].Success
            ? name.Groups[1].Value.Replace("``", "`", StringComparison.Ordinal)
            : name.Value).ToList();
        return names[0] == "data" ? new FieldPath(null, names[1..]) : new FieldPath(names[0], []);
    }

    private static Timestamp TimeOf(JsonNode? time) => Timestamp.FromDateTimeOffset(time is null
        ? DateTimeOffset.UnixEpoch
        : DateTimeOffset.Parse((string)time!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));

    [GeneratedRegex(@", (?=(?:[^`]*`[^`]*`)*[^`]*$)")]
    private static partial Regex Commas();

    [GeneratedRegex(@"`((?:[^`]|``)*)`|[A-Za-z_][A-Za-z0-9_]*")]
    private static partial Regex Names();
}
