using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vibe.Benchmarks.Measuring;

/// <summary>Vibe's number beside another one of the same run.</summary>
/// <param name="To">What it is compared with.</param>
/// <param name="Value">The other number, in the unit of the row.</param>
/// <param name="AtMost">The target, when Vibe's number may be at most so many times the other.</param>
/// <param name="AtLeast">The target, when it must be at least so many times the other.</param>
internal sealed record Comparison(string To, double Value, double? AtMost = null, double? AtLeast = null);

/// <summary>One thing measured.</summary>
/// <param name="Name">What.</param>
/// <param name="Unit">In what unit.</param>
/// <param name="Vibe">Vibe's number.</param>
internal sealed record BenchRow(string Name, string Unit, double Vibe)
{
    /// <summary>What it is compared with.</summary>
    public IReadOnlyList<Comparison> Comparisons { get; init; } = [];

    /// <summary>The target when there is one for the number itself, in the unit of the row.</summary>
    public double? AtMost { get; init; }

    /// <summary>The target when the number must be at least so much.</summary>
    public double? AtLeast { get; init; }

    /// <summary>What else is worth knowing.</summary>
    public string Note { get; init; } = "";
}

/// <summary>The results of a run: a table for people, a file with machine and commit for later comparison.</summary>
internal sealed class Report
{
    private readonly List<BenchRow> _rows = [];
    // Read at once: the working copy may move on while the benchmarks run.
    private readonly string _commit = Git("rev-parse HEAD") + (Git("status --porcelain --untracked-files=no").Length > 0 ? " with changes" : "");

    /// <summary>Adds a row and shows that there is progress.</summary>
    public void Add(BenchRow row)
    {
        _rows.Add(row);
        Console.WriteLine($"  {row.Name}: {Number(row.Vibe)} {row.Unit} ({string.Join(", ", row.Comparisons.Select(c => $"{c.To} {Number(c.Value)}"))}) {row.Note}");
    }

    /// <summary>Prints the table; the last column is empty where there is no target.</summary>
    public void Print(TextWriter output)
    {
        if (_rows.Count == 0)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine("| row | unit | Vibe | beside | ratio | target | met |");
        output.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var row in _rows)
        {
            if (row.Comparisons.Count == 0 || row.AtMost is not null || row.AtLeast is not null)
            {
                var target = row switch
                {
                    { AtMost: { } most } => $"≤ {Number(most)}",
                    { AtLeast: { } least } => $"≥ {Number(least)}",
                    _ => "",
                };
                output.WriteLine($"| {row.Name} | {row.Unit} | {Number(row.Vibe)} | | | {target} | {Met(row)} |");
            }

            foreach (var beside in row.Comparisons)
            {
                var target = beside switch
                {
                    { AtMost: { } most } => $"≤ {Number(most)}",
                    { AtLeast: { } least } => $"≥ {Number(least)}",
                    _ => "",
                };
                output.WriteLine(
                    $"| {row.Name} | {row.Unit} | {Number(row.Vibe)} | {beside.To} {Number(beside.Value)} | {Number(row.Vibe / beside.Value)} | {target} | {Met(row, beside)} |");
            }
        }
    }

    /// <summary>Writes <c>artifacts/bench-….json</c>.</summary>
    /// <returns>Where it is.</returns>
    public string Save(BenchOptions options)
    {
        var now = TimeProvider.System.GetUtcNow();
        var json = new JsonObject
        {
            ["time"] = now,
            ["commit"] = _commit,
            ["quick"] = options.IsQuick,
            ["machine"] = new JsonObject
            {
                ["processor"] = File.ReadLines("/proc/cpuinfo").FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[^1],
                ["processors"] = Environment.ProcessorCount,
                ["memoryBytes"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
                ["system"] = RuntimeInformation.OSDescription,
                ["runtime"] = RuntimeInformation.FrameworkDescription,
            },
            ["rows"] = JsonSerializer.SerializeToNode(_rows, JsonSerializerOptions.Web),
        };
        var folder = Directory.CreateDirectory(Path.Combine(BenchOptions.Root, "artifacts")).FullName;
        var file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"bench-{now:yyyy-MM-dd-HHmmss}.json"));
        File.WriteAllText(file, json.ToJsonString(new() { WriteIndented = true }));
        return Path.GetRelativePath(BenchOptions.Root, file);
    }

    private static string Met(BenchRow row) => row switch
    {
        { AtMost: { } most } => Text(row.Vibe <= most),
        { AtLeast: { } least } => Text(row.Vibe >= least),
        _ => "",
    };

    private static string Met(BenchRow row, Comparison beside) => beside switch
    {
        { AtMost: { } most } => Text(row.Vibe / beside.Value <= most),
        { AtLeast: { } least } => Text(row.Vibe / beside.Value >= least),
        _ => "",
    };

    private static string Text(bool met) => met ? "yes" : "NO";

    private static string Number(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.00", CultureInfo.InvariantCulture),
    };

    private static string Git(string arguments)
    {
        using var git = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("git", $"-C \"{BenchOptions.Root}\" {arguments}") { RedirectStandardOutput = true, UseShellExecute = false })!;
        return git.StandardOutput.ReadToEnd().Trim();
    }
}
