using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Documents.V1;
using Vibe.Realtime.V1;
using Vibe.Rpc.Json;

namespace Vibe.Benchmarks.Live;

/// <summary>What the clients do.</summary>
/// <param name="Url">The server.</param>
/// <param name="Tokens">The writer's, then one for each subscriber.</param>
/// <param name="Dids">Whose they are.</param>
/// <param name="PerSecond">Transactions a second; 0 for as fast as eight writers get.</param>
/// <param name="Duration">How long.</param>
internal sealed record LivePlan(string Url, IReadOnlyList<string> Tokens, IReadOnlyList<string> Dids, int PerSecond, TimeSpan Duration);

/// <summary>What they measured; latencies in milliseconds, from the acknowledgement of the write to the arrival of the news.</summary>
internal sealed record LiveResult(long Writes, long Deliveries, long Missing, double Seconds, double P50, double P95, double P99, double ClientCpu);

/// <summary>
/// Subscribers that each follow a query of their own, and writers: half of the documents are for everyone, half for one
/// subscriber. Every delivery is parsed and counted; at the end each must have come.
/// </summary>
internal static class LiveDriver
{
    private const int StreamsPerConnection = 100;
    private const int Writers = 8;

    /// <summary>Opens the streams, says "measuring", and prints the result as JSON.</summary>
    public static async Task RunAsync(string planFile)
    {
        var plan = JsonSerializer.Deserialize<LivePlan>(await File.ReadAllBytesAsync(planFile))!;
        using var leave = new CancellationTokenSource();
        var subscribers = new List<Subscription>();
        GrpcChannel? channel = null;
        for (var i = 1; i < plan.Tokens.Count; i++)
        {
            channel = i % StreamsPerConnection == 1 ? GrpcChannel.ForAddress(plan.Url) : channel;
            subscribers.Add(new Subscription(channel!, plan.Tokens[i], leave.Token));
        }

        await Task.WhenAll(subscribers.Select(static subscriber => subscriber.Ready));
        await WriteAsync(plan, TimeSpan.FromSeconds(10));
        Console.WriteLine("measuring");
        var (started, cpu, before) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, subscribers.Sum(static subscriber => subscriber.Count));
        var writes = await WriteAsync(plan, plan.Duration);
        var expected = writes.Sum(write => write.Reader is null ? subscribers.Count : 1);
        var patience = Stopwatch.GetTimestamp();
        while (subscribers.Sum(static subscriber => subscriber.Count) - before < expected && Stopwatch.GetElapsedTime(patience) < TimeSpan.FromSeconds(10))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }

        var (elapsed, used) = (Stopwatch.GetElapsedTime(started), Environment.CpuUsage.TotalTime - cpu);
        await leave.CancelAsync();
        var acks = writes.ToDictionary(static write => write.Id, static write => write.Acknowledged, StringComparer.Ordinal);
        var latencies = subscribers.SelectMany(subscriber => subscriber.Arrivals).Where(arrival => acks.ContainsKey(arrival.Id))
            .Select(arrival => Math.Max(0, Stopwatch.GetElapsedTime(acks[arrival.Id], arrival.Time).TotalMilliseconds)).Order().ToList();
        Console.WriteLine("result " + JsonSerializer.Serialize(new LiveResult(
            writes.Count, latencies.Count, expected - latencies.Count, elapsed.TotalSeconds, At(0.5), At(0.95), At(0.99), used.TotalMicroseconds / latencies.Count)));

        double At(double share) => latencies[Math.Min(latencies.Count - 1, (int)(latencies.Count * share))];
    }

    private static async Task<List<(string Id, long Acknowledged, string? Reader)>> WriteAsync(LivePlan plan, TimeSpan duration)
    {
        var client = new DocumentsService.DocumentsServiceClient(GrpcChannel.ForAddress(plan.Url));
        var headers = new Metadata { { "authorization", $"Bearer {plan.Tokens[0]}" } };
        var body = StructJson.ToStruct(Encoding.UTF8.GetBytes("""{"room":"main","text":"What somebody says to somebody, about as long as such a thing is.","n":1}"""));
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

                var reader = mine % 2 == 0 ? null : plan.Dids[mine / 2 % (plan.Dids.Count - 1) + 1];
                var document = new Document
                {
                    Collection = "live", Data = body, Acl = new() { Read = new() { Allow = { reader ?? "*" } } },
                };
                var stored = (await client.CreateDocumentAsync(new() { Document = document }, headers)).Document;
                written.Add((stored.Id, Stopwatch.GetTimestamp(), reader));
            }

            return written;
        })));
        return [.. all.SelectMany(static written => written)];
    }

    private sealed class Subscription
    {
        private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _count;

        public Subscription(GrpcChannel channel, string token, CancellationToken leave) => _ = ReadAsync(channel, token, leave);

        public Task Ready => _ready.Task;

        public long Count => Volatile.Read(ref _count);

        public List<(string Id, long Time)> Arrivals { get; } = [];

        private async Task ReadAsync(GrpcChannel channel, string token, CancellationToken leave)
        {
            var request = new SubscribeRequest
            {
                Collection = "live", Scope = DocumentScope.All, Filter = """data.room = "main" """,
            };
            using var call = new RealtimeService.RealtimeServiceClient(channel).Subscribe(
                request, new Metadata { { "authorization", $"Bearer {token}" } }, cancellationToken: leave);
            try
            {
                await foreach (var frame in call.ResponseStream.ReadAllAsync(leave))
                {
                    if (frame.Ready is not null)
                    {
                        _ready.SetResult();
                    }

                    foreach (var change in frame.Batch?.Changes ?? [])
                    {
                        var now = Stopwatch.GetTimestamp();
                        Arrivals.AddRange(change.Added.Select(document => (document.Id, now)));
                        Volatile.Write(ref _count, _count + change.Added.Count);
                    }
                }
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.Cancelled)
            {
                // The measurement is over.
            }
            catch (RpcException exception)
            {
                _ready.TrySetException(exception);
            }
        }
    }
}
