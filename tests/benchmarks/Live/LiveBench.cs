using System.Text.Json;
using Vibe.Benchmarks.Measuring;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Hosting;

namespace Vibe.Benchmarks.Live;

/// <summary>Live queries: how fast news reach subscribers with rights and filters of their own, and how many a second.</summary>
internal sealed class LiveBench(BenchOptions options, Report report)
{
    private const double MedianTarget = 5;
    private const double SlowestTarget = 20;

    /// <summary>Measures with a few hundred subscribers, and with ten times as many.</summary>
    public async Task RunAsync()
    {
        foreach (var count in options.IsQuick ? [500] : (int[])[500, 5000])
        {
            await RunAsync(count);
        }
    }

    private async Task RunAsync(int count)
    {
        var data = BenchOptions.NewFolder();
        var port = ServerProcess.FreePort();
        await using (var server = await ServerProcess.StartVibeAsync(port, data))
        {
            var (tokens, dids) = await MintAsync(data, count + 1);
            var quiet = server.Memory;
            var calm = await DriveAsync(server, new LivePlan($"http://127.0.0.1:{port}", tokens, dids, 100_000 / count / 5, options.Duration * 3));
            report.Add(new($"live, {count} subscribers, p50", "ms", calm.Result.P50) { AtMost = MedianTarget, Note = $"{calm.Result.Deliveries / calm.Result.Seconds:N0} deliveries/s" });
            report.Add(new($"live, {count} subscribers, p99", "ms", calm.Result.P99) { AtMost = SlowestTarget, Note = $"missing {calm.Result.Missing}" });
            var busy = await DriveAsync(server, new LivePlan($"http://127.0.0.1:{port}", tokens, dids, 0, options.Duration * 3));
            report.Add(new($"live, {count} subscribers, deliveries", "1/s", busy.Result.Deliveries / busy.Result.Seconds)
            {
                Note = $"{busy.Result.Writes / busy.Result.Seconds:N0} writes/s, missing {busy.Result.Missing}, p99 {busy.Result.P99:N0} ms; CPU µs/delivery: server "
                    + $"{busy.ServerCpu / busy.Result.Deliveries:N1}, clients {busy.Result.ClientCpu:N1}",
            });
            report.Add(new($"live, {count} subscribers, memory for each", "KiB", (server.Memory - quiet) / 1024.0 / count));
        }

        Directory.Delete(data, recursive: true);
    }

    private static async Task<(LiveResult Result, double ServerCpu)> DriveAsync(ServerProcess server, LivePlan plan)
    {
        var folder = BenchOptions.NewFolder();
        var file = Path.Combine(folder, "plan.json");
        await File.WriteAllBytesAsync(file, JsonSerializer.SerializeToUtf8Bytes(plan));
        await using var driver = ServerProcess.Start("dotnet", [BenchOptions.Self, "drive-live", file]);
        await driver.WaitForLineAsync("measuring");
        var before = server.Cpu;
        var result = JsonSerializer.Deserialize<LiveResult>((await driver.WaitForLineAsync("result "))["result ".Length..])!;
        var cpu = (server.Cpu - before).TotalMicroseconds;
        Directory.Delete(folder, recursive: true);
        return (result, cpu);
    }

    private static async Task<(List<string> Tokens, List<string> Dids)> MintAsync(string data, int count)
    {
        await using var storage = await Storage.OpenAsync(data, StorageUse.Command, CancellationToken.None);
        var tokens = await DevelopmentTokens.OpenAsync(storage, CancellationToken.None);
        var accounts = new NamedAccounts(storage.Database, new AuthOptions { Issuer = await ServerIdentity.ReadAsync(storage.Database, CancellationToken.None) });
        List<string> minted = [], dids = [];
        for (var i = 0; i < count; i++)
        {
            minted.Add(await tokens.MintAsync($"user{i}", app: null, "documents:*:write", TimeSpan.FromHours(1), CancellationToken.None));
            dids.Add(await accounts.FindOrCreateUserAsync($"user{i}", CancellationToken.None));
        }

        return (minted, dids);
    }
}
