using System.Text.Json;
using System.Text.RegularExpressions;

namespace Vibe.Server.Tests.Documents.Queries;

/// <summary>A plan as EXPLAIN (ANALYZE, FORMAT JSON) tells it, with what each node did.</summary>
internal sealed class ExecutedPlan(string json)
{
    private readonly List<JsonElement> _nodes = [.. Walk(JsonDocument.Parse(json).RootElement[0].GetProperty("Plan"))];

    /// <summary>The kinds of the nodes that ran.</summary>
    public IEnumerable<string> Kinds => Ran.Select(static node => Text(node, "Node Type"));

    /// <summary>How many rows, those thrown away too, came out of the scans of a table.</summary>
    public double RowsReadFrom(string table) => Ran.Where(node => Text(node, "Relation Name") == table).Sum(static node =>
        (Number(node, "Actual Rows") + Number(node, "Rows Removed by Filter")) * Number(node, "Actual Loops"));

    /// <summary>The most rows that went into a sort.</summary>
    public double LargestSort => Ran.Where(static node => Text(node, "Node Type").EndsWith("Sort", StringComparison.Ordinal))
        .Select(static node => Number(node.GetProperty("Plans")[0], "Actual Rows")).DefaultIfEmpty().Max();

    /// <summary>Which indexes were read.</summary>
    public IEnumerable<string> Indexes => Ran.Select(static node => Text(node, "Index Name")).Where(static name => name.Length > 0).Distinct().Order(StringComparer.Ordinal);

    public override string ToString() => Regex.Replace(json, "\n *(?=[}\\]]|\"(?!Node Type))", " ");

    private IEnumerable<JsonElement> Ran => _nodes.Where(static node => Number(node, "Actual Loops") > 0);

    private static string Text(JsonElement node, string name) => node.TryGetProperty(name, out var value) ? value.GetString()! : "";

    private static double Number(JsonElement node, string name) => node.TryGetProperty(name, out var value) ? value.GetDouble() : 0;

    private static IEnumerable<JsonElement> Walk(JsonElement node) =>
        node.TryGetProperty("Plans", out var children) ? children.EnumerateArray().SelectMany(Walk).Prepend(node) : [node];
}
