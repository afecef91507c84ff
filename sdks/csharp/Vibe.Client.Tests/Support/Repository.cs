using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vibe.Client.Tests.Support;

/// <summary>Files of the repository.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The files of a folder of shared vectors, by their names.</summary>
    public static IEnumerable<string> Vectors(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, "tests/vectors", folder), "*.json").Order(StringComparer.Ordinal).Select(path => Path.GetFileName(path));

    public static string VectorPath(string folder, string file) => Path.Combine(Root, "tests/vectors", folder, file);

    public static JsonObject Vector(string folder, string file) => JsonNode.Parse(File.ReadAllText(VectorPath(folder, file)))!.AsObject();

    /// <summary>The cases of all files of a folder, as rows of a theory: the file and the name.</summary>
    public static TheoryData<string, string> Cases(string folder)
    {
        var rows = new TheoryData<string, string>();
        foreach (var file in Vectors(folder))
        {
            foreach (var found in Vector(folder, file)["cases"]!.AsArray())
            {
                rows.Add(file, (string)found!["name"]!);
            }
        }

        return rows;
    }

    public static JsonObject Case(string folder, string file, string name) =>
        Vector(folder, file)["cases"]!.AsArray().Single(found => (string?)found!["name"] == name)!.AsObject();

    /// <summary>JSON that equals other JSON when the texts are equal: keys in order.</summary>
    public static string Canonical(JsonNode? node) => Sorted(node)?.ToJsonString() ?? "null";

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject json => new JsonObject(json.OrderBy(static field => field.Key, StringComparer.Ordinal).Select(static field => KeyValuePair.Create(field.Key, Sorted(field.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => JsonValue.Create(double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture)),
        _ => node?.DeepClone(),
    };

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Vibe.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("The tests run inside of the repository.");
    }
}
