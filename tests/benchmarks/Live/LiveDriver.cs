using System.Diagnostics;
using System.Text.Json;
using Grpc.Core;

namespace Vibe.Benchmarks.Live;

/// <summary>What the clients do.</summary>
/// <param name="Url">The server.</param>
/// <param name="Tokens">The writer's, then one for each subscriber.</param>
/// <param name="Dids">Whose they are.</param>
/// <param name="Subscribers">How many follow.</param>
/// <param name="PerSecond">Transactions a second; 0 for as fast as eight writers get.</param>
/// <param name="Duration">How long.</param>
internal sealed record LivePlan(string Url, IReadOnlyList<string> Tokens, IReadOnlyList<string> Dids, int Subscribers, int PerSecond, TimeSpan Duration)
{
    /// <summary>The server is the one with SignalR.</summary>
    public bool IsSignalR { get; init; }

    /// <summary>No document is for everyone: each concerns one subscriber.</summary>
    public bool IsPrivate { get; init; }
}

/// <summary>What they measured; latencies in milliseconds, from the acknowledgement of the write to the arrival of the news.</summary>
internal sealed record LiveResult(long Writes, long Deliveries, long Missing, double Seconds, double P50, double P95, double P99, double ClientCpu);

/// <summary>
/// Subscribers that each follow a query of their own, and writers: half of the documents are for everyone, half for one
/// subscriber. Every delivery is parsed and counted; at the end each must have come.
/// </summary>
internal static class LiveDriver
{
    /// <summary>What every document says.</summary>
    public const string Body = """{"room":"main","text":"What somebody says to somebody, about as long as such a thing is.","n":1}""";

    private const int Writers = 8;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);

    /// <summary>Opens the streams, says "measuring", and prints the result as JSON.</summary>
    public static async Task RunAsync(string planFile)
    {
        var plan = JsonSerializer.Deserialize<LivePlan>(await File.ReadAllBytesAsync(planFile))!;
        using var contender = Contender.Of(plan);
        using var leave = new CancellationTokenSource();
        var subscriptions = Enumerable.Range(0, plan.Subscribers).Select(static _ => new Subscription()).ToList();
        var following = subscriptions.Select((subscription, i) => FollowAsync(contender, i + 1, subscription, leave.Token)).ToList();
        await Task.WhenAll(subscriptions.Select(static subscription => subscription.Ready));
        await WriteAsync(contender, plan, WarmUp);
        Console.WriteLine("measuring");
        var (started, cpu, before) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, subscriptions.Sum(static subscription => subscription.Count));
        var writes = await WriteAsync(contender, plan, plan.Duration);
        var expected = plan.Subscribers == 0 ? 0 : writes.Sum(write => write.Reader is null ? plan.Subscribers : 1);
        var patience = Stopwatch.GetTimestamp();
        while (subscriptions.Sum(static subscription => subscription.Count) - before < expected && Stopwatch.GetElapsedTime(patience) < TimeSpan.FromSeconds(10))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }

        var (elapsed, used) = (Stopwatch.GetElapsedTime(started), Environment.CpuUsage.TotalTime - cpu);
        await leave.CancelAsync();
        await Task.WhenAll(following);
        var acks = writes.ToDictionary(static write => write.Id, static write => write.Acknowledged, StringComparer.Ordinal);
        var latencies = subscriptions.SelectMany(static subscription => subscription.Arrivals).Where(arrival => acks.ContainsKey(arrival.Id))
            .Select(arrival => Math.Max(0, Stopwatch.GetElapsedTime(acks[arrival.Id], arrival.Time).TotalMilliseconds)).Order().ToList();
        Console.WriteLine("result " + JsonSerializer.Serialize(new LiveResult(
            writes.Count, latencies.Count, expected - latencies.Count, elapsed.TotalSeconds, At(0.5), At(0.95), At(0.99),
            used.TotalMicroseconds / Math.Max(1, latencies.Count))));

        double At(double share) => latencies.Count == 0 ? 0 : latencies[Math.Min(latencies.Count - 1, (int)(latencies.Count * share))];
    }

    private static async Task FollowAsync(Contender contender, int user, Subscription subscription, CancellationToken leave)
    {
        try
        {
            await contender.FollowAsync(user, subscription, leave);
        }
        catch (Exception exception) when (exception is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            // The measurement is over.
        }
        catch (Exception exception)
        {
            subscription.Fail(exception);
        }
    }

    private static async Task<List<(string Id, long Acknowledged, string? Reader)>> WriteAsync(Contender contender, LivePlan plan, TimeSpan duration)
    {
        var started = Stopwatch.GetTimestamp();
        var turn = 0;
        var all = await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            var written = new List<(string Id, long Acknowledged, string? Reader)>();
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                var mine = Interlocked.Increment(ref turn);
                if (plan.PerSecond > 0)
                {
                    var due = TimeSpan.FromSeconds((double)mine / plan.PerSecond) - Stopwatch.GetElapsedTime(started);
                    if (due > TimeSpan.Zero)
                    {
                        await Task.Delay(due, TimeProvider.System);
                    }
                }

                var reader = mine % 2 == 0 && !plan.IsPrivate ? null : plan.Dids[1 + (mine / 2 % (plan.Dids.Count - 1))];
                var id = await contender.WriteAsync(reader);
                written.Add((id, Stopwatch.GetTimestamp(), reader));
            }

            return written;
        })));
        return [.. all.SelectMany(static written => written)];
    }
}
