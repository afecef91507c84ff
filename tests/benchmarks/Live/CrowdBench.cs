using Vibe.Benchmarks.Measuring;

namespace Vibe.Benchmarks.Live;

/// <summary>Many streams: what they cost while nothing happens, and how fast they are up to date again when they come back.</summary>
internal sealed class CrowdBench(BenchOptions options, Report report)
{
    private const int IdleStreams = 20_000;
    private const int IdleUsers = 500;
    private const double IdleTarget = 4.0 * 1024 * 1024 / IdleStreams;
    private const int Rehearsals = 4;
    private const int Missed = 50_000;
    private const double MissedTarget = 50_000;
    private const int CrowdStreams = 10_000;
    private const int CrowdMissed = 20;
    private const double CrowdTarget = 30;

    // What opening the streams cost is counted by then: PostgreSQL notes an idle connection's transactions 10 seconds late.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(15);

    // The server keeps no change in memory: who comes back asks the database, as after a restart.
    private static readonly (string, string) WithoutRing = ("Vibe__Realtime__RingBytes", "1");

    /// <summary>Measures.</summary>
    public async Task RunAsync()
    {
        await IdleAsync();
        await CatchUpAsync();
        await CrowdAsync("from the database", WithoutRing);
        await CrowdAsync("from memory");
    }

    private async Task IdleAsync()
    {
        var time = options.Duration * 5;
        await using var server = await LiveServer.StartAsync(IdleUsers);
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
        var (emptyMemory, emptyQueries) = (server.Process.Memory, await QueriesAsync(server, time));
        var (memory, cpu, queries) = (0L, 0.0, 0.0);
        await LiveServer.DriveAsync<CrowdPlan, CrowdResult>("drive-crowd", new(server.Url, server.Tokens, IdleStreams, 0, Settle + (time * 1.5)), async () =>
        {
            await Task.Delay(Settle, TimeProvider.System);
            var before = server.Process.Cpu;
            queries = await QueriesAsync(server, time);
            (memory, cpu) = (server.Process.Memory, (server.Process.Cpu - before) / time);
        });
        report.Add(new($"idle, {IdleStreams:N0} streams, memory for each", "KiB", (memory - emptyMemory) / 1024.0 / IdleStreams)
        {
            AtMost = IdleTarget, Note = $"server {memory / 1048576.0:N0} MiB, before {emptyMemory / 1048576.0:N0} MiB; {cpu:P1} of a core",
        });
        report.Add(new($"idle, {IdleStreams:N0} streams, transactions of the database", "1/s", queries) { Comparisons = [new("without streams", emptyQueries)] });
    }

    private async Task CatchUpAsync()
    {
        await using var server = await LiveServer.StartAsync(2, WithoutRing);
        var before = TimeSpan.Zero;
        await RawFeed.KeepAsync(server.Admin);
        var plan = new CrowdPlan(server.Url, server.Tokens, 1, Missed, TimeSpan.Zero, Rehearsals);
        var result = await LiveServer.DriveAsync<CrowdPlan, CrowdResult>("drive-crowd", plan, () =>
        {
            before = server.Process.Cpu;
            return Task.CompletedTask;
        });
        var cpu = (server.Process.Cpu - before).TotalMicroseconds / result.Changes;
        var limit = await RawFeed.ReadAsync(server.Admin, Missed);
        report.Add(new($"catch-up, one client, {Missed:N0} changes", "1/s", result.Changes / result.Seconds)
        {
            AtLeast = MissedTarget, Comparisons = [new("reading pgoutput alone", limit)], Note = $"CPU µs/change: server {cpu:N1}",
        });
    }

    private async Task CrowdAsync(string how, params (string, string)[] settings)
    {
        await using var server = await LiveServer.StartAsync(IdleUsers, settings);
        var result = await LiveServer.DriveAsync<CrowdPlan, CrowdResult>("drive-crowd", new(server.Url, server.Tokens, CrowdStreams, CrowdMissed, TimeSpan.Zero));
        report.Add(new($"crowd, {CrowdStreams:N0} clients at once, {CrowdMissed} changes each, {how}", "s", result.Seconds) { AtMost = CrowdTarget });
    }

    private static async Task<double> QueriesAsync(LiveServer server, TimeSpan time)
    {
        var before = await server.ReadTransactionsAsync();
        await Task.Delay(time, TimeProvider.System);
        return (await server.ReadTransactionsAsync() - before) / time.TotalSeconds;
    }
}
