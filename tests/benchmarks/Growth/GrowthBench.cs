using Vibe.Benchmarks.Documents;
using Vibe.Benchmarks.Live;
using Vibe.Benchmarks.Measuring;
using Vibe.Documents.V1;

namespace Vibe.Benchmarks.Growth;

/// <summary>
/// How cost and speed change with the number of documents, clients and subscribers: rows of the table, and the curves of
/// <c>docs/growth.svg</c>.
/// </summary>
internal sealed class GrowthBench(BenchOptions options, Report report)
{
    private const int Clients = 8;
    private const string Scratch = "scratch";

    // A tenth of the deliveries that a server should manage, and no more writes than it takes.
    private const int CalmDeliveries = 10_000;
    private const int CalmWrites = 500;

    private static readonly int[] Sizes = [10_000, 100_000, 1_000_000];
    private static readonly int[] ClientCounts = [1, 2, 4, 8, 16, 32];
    private static readonly int[] SubscriberCounts = [10, 100, 1_000, 10_000];

    private static readonly DocumentsCase[] Cases =
    [
        new("get", Operation.Get, "notes"),
        new("create", Operation.Create, Scratch),
        new("list 50 of all I may see", Operation.List, Dataset.MixedCollection) { Scope = DocumentScope.All },
        new("filter all I may see", Operation.List, Dataset.MixedCollection) { Scope = DocumentScope.All, Field = "ref", Value = "r77" },
    ];

    private readonly List<Chart> _charts = [];

    /// <summary>Measures and draws.</summary>
    public async Task RunAsync()
    {
        var data = BenchOptions.NewFolder();
        try
        {
            await using var dataset = await Dataset.StartAsync(data, withCities: false);
            await DocumentsAsync(dataset);
            await ClientsAsync(dataset);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }

        await SubscribersAsync();
        var file = Path.Combine(BenchOptions.Root, "docs/growth.svg");
        await File.WriteAllTextAsync(file, Chart.Draw(_charts));
        Console.WriteLine(Path.GetRelativePath(BenchOptions.Root, file));
    }

    private async Task DocumentsAsync(Dataset dataset)
    {
        var times = Cases.Select(static what => new Curve(what.Name)).ToList();
        var costs = Cases.Select(static what => new Curve(what.Name)).ToList();
        foreach (var size in Sizes)
        {
            await dataset.GrowAsync(size);
            foreach (var (what, i) in Cases.Select(static (what, i) => (what, i)))
            {
                var measured = await MeasureAsync(dataset, what, Clients);
                times[i].Points.Add((size, measured.P50));
                costs[i].Points.Add((size, measured.ServerCpu + measured.DatabaseCpu));
                report.Add(new($"{what.Name} at {size:N0} documents, p50", "ms", measured.P50)
                {
                    Note = $"CPU µs/call: server {measured.ServerCpu:0}, database {measured.DatabaseCpu:0}",
                });
            }

            await dataset.RemoveAsync(Scratch);
        }

        _charts.Add(new($"Time of a call, {Clients} clients", "ms, p50", "documents", times));
        _charts.Add(new("Processor time of a call", "µs, server and database", "documents", costs));
    }

    private async Task ClientsAsync(Dataset dataset)
    {
        var rates = Cases.Select(static what => new Curve(what.Name)).ToList();
        var times = Cases.Select(static what => new Curve(what.Name)).ToList();
        foreach (var clients in ClientCounts)
        {
            foreach (var (what, i) in Cases.Select(static (what, i) => (what, i)))
            {
                var measured = await MeasureAsync(dataset, what, clients);
                rates[i].Points.Add((clients, measured.PerSecond));
                times[i].Points.Add((clients, measured.P50));
                report.Add(new($"{what.Name} with {clients} clients at {Sizes[^1]:N0} documents", "calls/s", measured.PerSecond) { Note = $"p50 {measured.P50:0.00} ms" });
            }
        }

        _charts.Add(new("Calls at a million documents", "calls/s", "clients", rates));
        _charts.Add(new("Time of a call at a million documents", "ms, p50", "clients", times));
    }

    private async Task SubscribersAsync()
    {
        var (p50, p99, cpu) = (new Curve("p50"), new Curve("p99"), new Curve("server"));
        await using var server = await LiveServer.StartAsync(SubscriberCounts[^1] + 1);
        foreach (var count in SubscriberCounts)
        {
            // Half of the documents are for everyone, the others for one of those who follow.
            var plan = new LivePlan(server.Url, server.Tokens, [.. server.Dids.Take(count + 1)], count, Math.Clamp(2 * CalmDeliveries / count, 1, CalmWrites), options.Duration * 3);
            var before = TimeSpan.Zero;
            var result = await LiveServer.DriveAsync<LivePlan, LiveResult>("drive-live", plan, () =>
            {
                before = server.Process.Cpu;
                return Task.CompletedTask;
            });
            var cost = (server.Process.Cpu - before).TotalMicroseconds / Math.Max(1, result.Deliveries);
            p50.Points.Add((count, result.P50));
            p99.Points.Add((count, result.P99));
            cpu.Points.Add((count, cost));
            report.Add(new($"live, {count:N0} subscribers, p50", "ms", result.P50)
            {
                Note = $"p99 {result.P99:0.0} ms, {result.Deliveries / result.Seconds:N0} deliveries/s, CPU {cost:0.0} µs/delivery, missing {result.Missing}",
            });
        }

        _charts.Add(new("From commit to subscriber", "ms", "subscribers", [p50, p99]));
        _charts.Add(new("Processor time of a delivery, writes included", "µs", "subscribers", [cpu]));
    }

    private async Task<Measured> MeasureAsync(Dataset dataset, DocumentsCase what, int clients)
    {
        // The first time the runtime has yet to compile, and the database to read.
        await DriveAsync(options.WarmUp * 2);
        List<Measured> rounds = [];
        for (var round = 0; round < options.Rounds; round++)
        {
            rounds.Add(await DriveAsync(options.WarmUp));
        }

        return new(
            Median(static one => one.PerSecond), Median(static one => one.P50), Median(static one => one.P95),
            Median(static one => one.ServerCpu), Median(static one => one.DatabaseCpu), Median(static one => one.ClientCpu));

        double Median(Func<Measured, double> value) => BenchOptions.Median(rounds.Select(value));

        Task<Measured> DriveAsync(TimeSpan warmUp) => DocumentsBench.MeasureAsync(
            new(Wire.Grpc, dataset.Url, dataset.Token, what, dataset.OwnIds, clients, warmUp, options.Duration), dataset.Server, dataset.DatabaseProcess);
    }
}
