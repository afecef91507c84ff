using Vibe.Benchmarks.Measuring;

namespace Vibe.Benchmarks.Live;

/// <summary>
/// Live queries: how fast news reach subscribers with rights and filters of their own, and how many a second, beside a SignalR hub
/// that PostgreSQL notifies. Clients, servers and database share the machine.
/// </summary>
internal sealed class LiveBench(BenchOptions options, Report report)
{
    private const double MedianTarget = 5;
    private const double SlowestTarget = 20;
    private const double DeliveriesTarget = 100_000;
    private const double SignalRTarget = 1.2;
    private const double CrowdTarget = 0.8;
    private const int Subscribers = 500;

    // A tenth of the deliveries that a server should manage.
    private const int CalmDeliveries = 10_000;

    /// <summary>Measures with a few hundred subscribers, and with ten times as many.</summary>
    public async Task RunAsync()
    {
        double few;
        await using (var server = await LiveServer.StartAsync(Subscribers + 1))
        {
            few = await SubscribersAsync(server, Subscribers, 0);
            await WritersAsync(server);
        }

        if (!options.IsQuick)
        {
            await using var server = await LiveServer.StartAsync((10 * Subscribers) + 1);
            await SubscribersAsync(server, 10 * Subscribers, few);
        }
    }

    private async Task<double> SubscribersAsync(LiveServer server, int count, double fewer)
    {
        var port = ServerProcess.FreePort();
        await using var signalR = await ServerProcess.StartSelfAsync("serve-signalr", $"{port}", server.Admin);
        var plan = new LivePlan(server.Url, server.Tokens, server.Dids, count, 2 * CalmDeliveries / count, options.Duration * 3);
        var other = plan with { Url = $"http://127.0.0.1:{port}", IsSignalR = true };
        var quiet = server.Process.Memory;
        var (calm, _) = await DriveAsync(server.Process, plan);
        var (otherCalm, _) = await DriveAsync(signalR, other);
        var (busy, cpu) = await DriveAsync(server.Process, plan with { PerSecond = 0 });
        var memory = server.Process.Memory - quiet;
        var (otherBusy, otherCpu) = await DriveAsync(signalR, other with { PerSecond = 0 });

        var name = $"live, {count:N0} subscribers";
        report.Add(new($"{name}, p50", "ms", calm.P50)
        {
            AtMost = MedianTarget, Comparisons = [new("SignalR", otherCalm.P50)],
            Note = $"{calm.Deliveries / calm.Seconds:N0} deliveries/s, SignalR {otherCalm.Deliveries / otherCalm.Seconds:N0}",
        });
        report.Add(new($"{name}, p95", "ms", calm.P95) { Comparisons = [new("SignalR", otherCalm.P95)] });
        report.Add(new($"{name}, p99", "ms", calm.P99)
        {
            AtMost = SlowestTarget, Comparisons = [new("SignalR", otherCalm.P99)], Note = $"missing {calm.Missing}, SignalR {otherCalm.Missing}",
        });
        var rate = busy.Deliveries / busy.Seconds;
        report.Add(new($"{name}, deliveries", "1/s", rate)
        {
            AtLeast = fewer > 0 ? null : DeliveriesTarget,
            Comparisons =
            [
                new("SignalR", otherBusy.Deliveries / otherBusy.Seconds, AtLeast: SignalRTarget),
                .. fewer > 0 ? (Comparison[])[new($"{Subscribers} subscribers", fewer, AtLeast: CrowdTarget)] : [],
            ],
            Note = $"missing {busy.Missing}, p99 {busy.P99:N0} ms; {busy.Writes / busy.Seconds:N0} writes/s, SignalR {otherBusy.Writes / otherBusy.Seconds:N0}",
        });
        report.Add(new($"{name}, server CPU", "µs/delivery", cpu)
        {
            Comparisons = [new("SignalR", otherCpu)], Note = $"the client's beside: {busy.ClientCpu:N1}, SignalR's {otherBusy.ClientCpu:N1}",
        });
        report.Add(new($"{name}, memory with the latest changes", "MiB", memory / 1048576.0));
        return rate;
    }

    // What it costs writers that somebody follows: each document concerns one subscriber of many, or nobody is there at all.
    private async Task WritersAsync(LiveServer server)
    {
        var plan = new LivePlan(server.Url, server.Tokens, server.Dids, 0, 0, options.Duration * 3) { IsPrivate = true };
        var (alone, _) = await DriveAsync(server.Process, plan);
        var (followed, _) = await DriveAsync(server.Process, plan with { Subscribers = Subscribers });
        report.Add(new($"live, writers with {Subscribers} subscribers", "writes/s", followed.Writes / followed.Seconds)
        {
            Comparisons = [new("nobody follows", alone.Writes / alone.Seconds)], Note = $"missing {followed.Missing}",
        });
    }

    private static async Task<(LiveResult Result, double Cpu)> DriveAsync(ServerProcess server, LivePlan plan)
    {
        var before = TimeSpan.Zero;
        var result = await LiveServer.DriveAsync<LivePlan, LiveResult>("drive-live", plan, () =>
        {
            before = server.Cpu;
            return Task.CompletedTask;
        });
        return (result, (server.Cpu - before).TotalMicroseconds / Math.Max(1, result.Deliveries));
    }
}
