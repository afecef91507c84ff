using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vibe.Server.Documents.Queries;

namespace Vibe.Server.Tests.Documents.Queries;

/// <summary>The files of <c>tests/vectors/filter</c>; their README says what stands in them.</summary>
internal static class FilterVectors
{
    private static readonly string Folder = FindFolder();

    public static bool AreToBeUpdated => Environment.GetEnvironmentVariable("VIBE_UPDATE_VECTORS") == "1";

    public static JsonObject Load(string name) => JsonNode.Parse(File.ReadAllText(PathOf(name)))!.AsObject();

    public static void Save(string name, JsonObject vectors)
    {
        var options = new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        File.WriteAllText(PathOf(name), vectors.ToJsonString(options) + "\n");
    }

    /// <summary>The documents with everything that the file leaves out, by name.</summary>
    public static Dictionary<string, DocumentView> Documents(JsonObject vectors)
    {
        var views = new Dictionary<string, DocumentView>(StringComparer.Ordinal);
        foreach (var (name, document) in vectors["documents"]!.AsObject())
        {
            string? Text(string field) => (string?)document![field];
            views.Add(name, new DocumentView
            {
                Id = Guid.Parse(Text("id") ?? string.Create(CultureInfo.InvariantCulture, $"00000000-0000-7000-8000-{views.Count + 1:x12}")),
                Collection = Text("collection") ?? "places",
                Owner = Text("owner") ?? "did:web:owner",
                App = Text("app"),
                Key = Text("key"),
                CreateTime = TimeText.Parse(Text("createTime") ?? "1970-01-01T00:00:00Z"),
                UpdateTime = TimeText.Parse(Text("updateTime") ?? "1970-01-01T00:00:00Z"),
                Revision = (long?)document!["revision"] ?? 1,
                Data = JsonDocument.Parse(document["data"]!.ToJsonString(), DocumentView.BodyOptions).RootElement,
            });
        }

        return views;
    }

    /// <summary>The same documents as rows of <c>d</c>, as JSON for <c>jsonb_to_recordset</c>.</summary>
    public static byte[] Rows(Dictionary<string, DocumentView> documents) => JsonSerializer.SerializeToUtf8Bytes(documents.Select(entry => new
    {
        name = entry.Key,
        id = entry.Value.Id,
        collection = entry.Value.Collection,
        owner_did = entry.Value.Owner,
        app_did = entry.Value.App ?? "",
        key = entry.Value.Key,
        create_time = TimeText.Print(entry.Value.CreateTime),
        update_time = TimeText.Print(entry.Value.UpdateTime),
        revision = entry.Value.Revision,
        data = entry.Value.Data,
    }));

    private static string PathOf(string name) => Path.Combine(Folder, $"{name}.json");

    private static string FindFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var vectors = Path.Combine(folder.FullName, "tests", "vectors", "filter");
            if (Directory.Exists(vectors))
            {
                return vectors;
            }
        }

        throw new DirectoryNotFoundException("tests/vectors/filter");
    }
}
