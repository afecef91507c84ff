using System.Diagnostics;
using Vibe.Benchmarks.Measuring;

namespace Vibe.Benchmarks;

/// <summary>From starting the process to the first answered call: from nothing, and with data that is there.</summary>
internal sealed class StartBench(BenchOptions options, Report report)
{
    private const double FromNothingTarget = 3;

    /// <summary>Seconds allowed with data that is there.</summary>
    public const double ExistingTarget = 1.5;

    /// <summary>Starts the product a few times; the median counts.</summary>
    public async Task RunAsync()
    {
        var fromNothing = new List<double>();
        var existing = new List<double>();
        for (var round = 0; round < options.Rounds + 2; round++)
        {
            var data = BenchOptions.NewFolder();
            fromNothing.Add(await StartAsync(data));
            existing.Add(await StartAsync(data));
            Directory.Delete(data, recursive: true);
        }

        report.Add(new("start, from nothing to the first answer", "s", BenchOptions.Median(fromNothing)) { AtMost = FromNothingTarget });
        report.Add(new("start, with existing data", "s", BenchOptions.Median(existing)) { AtMost = ExistingTarget });
    }

    /// <summary>Seconds until a list of documents was answered.</summary>
    public static async Task<double> StartAsync(string data)
    {
        var port = ServerProcess.FreePort();
        using var client = new HttpClient();
        var started = Stopwatch.GetTimestamp();
        await using var server = await ServerProcess.StartVibeAsync(port, data);
        using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/v1/documents?collection=cities&page_size=1"));
        answer.EnsureSuccessStatusCode();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
