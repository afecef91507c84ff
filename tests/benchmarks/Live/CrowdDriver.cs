using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Documents.V1;
using Vibe.Realtime.V1;
using Vibe.Rpc.Json;

namespace Vibe.Benchmarks.Live;

/// <summary>What many streams do.</summary>
/// <param name="Url">The server.</param>
/// <param name="Tokens">The writer's, then those of the streams, in turn.</param>
/// <param name="Streams">How many.</param>
/// <param name="Changes">What they miss; 0 when they stay and nothing happens.</param>
/// <param name="Duration">How long they stay then.</param>
/// <param name="Rehearsals">How often they come back before it is measured, so that the runtime has compiled what it will.</param>
internal sealed record CrowdPlan(string Url, IReadOnlyList<string> Tokens, int Streams, int Changes, TimeSpan Duration, int Rehearsals = 0);

/// <summary>How long it took until all had all, and how many changes that were together.</summary>
internal sealed record CrowdResult(double Seconds, long Changes);

/// <summary>
/// Streams that stay and hear nothing; or streams that leave, miss something and come back all at once, each with its cursor.
/// </summary>
internal static class CrowdDriver
{
    private const int StreamsPerConnection = 100;
    private const int OpeningAtOnce = 64;
    private const int BatchSize = 500;

    // The server's memory of the latest changes is cut at a heartbeat.
    private static readonly TimeSpan TwoHeartbeats = TimeSpan.FromSeconds(2.5);

    /// <summary>Opens the streams, says "measuring", and prints the result as JSON.</summary>
    public static async Task RunAsync(string planFile)
    {
        var plan = JsonSerializer.Deserialize<CrowdPlan>(await File.ReadAllBytesAsync(planFile))!;
        var channels = Enumerable.Range(0, (plan.Streams + StreamsPerConnection - 1) / StreamsPerConnection).Select(_ => GrpcChannel.ForAddress(plan.Url)).ToList();
        using var leave = new CancellationTokenSource();
        var cursors = new string[plan.Streams];
        var reading = new Task[plan.Streams];
        using (var opening = new SemaphoreSlim(OpeningAtOnce))
        {
            await Task.WhenAll(Enumerable.Range(0, plan.Streams).Select(async i =>
            {
                await opening.WaitAsync(leave.Token);
                var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
                reading[i] = ReadAsync(plan, channels[i / StreamsPerConnection], i, "", frame => ready.TrySetResult(frame.Ready?.Cursor ?? ""), leave.Token);
                cursors[i] = await ready.Task;
                opening.Release();
            }));
        }

        if (plan.Changes == 0)
        {
            Console.WriteLine("measuring");
            await Task.Delay(plan.Duration, TimeProvider.System);
            await LeaveAsync();
            Console.WriteLine("result " + JsonSerializer.Serialize(new CrowdResult(plan.Duration.TotalSeconds, 0)));
            return;
        }

        await LeaveAsync();
        await WriteAsync(plan, channels[0]);
        await Task.Delay(TwoHeartbeats, TimeProvider.System);
        for (var round = 0; round < plan.Rehearsals; round++)
        {
            await ResumeAllAsync();
        }

        Console.WriteLine("measuring");
        var started = Stopwatch.GetTimestamp();
        var changes = await ResumeAllAsync();
        Console.WriteLine("result " + JsonSerializer.Serialize(new CrowdResult(Stopwatch.GetElapsedTime(started).TotalSeconds, changes.Sum())));

        Task<long[]> ResumeAllAsync() =>
            Task.WhenAll(Enumerable.Range(0, plan.Streams).Select(i => ResumeAsync(plan, channels[i / StreamsPerConnection], i, cursors[i])));

        async Task LeaveAsync()
        {
            await leave.CancelAsync();
            await Task.WhenAll(reading);
        }
    }

    private static async Task<long> ResumeAsync(CrowdPlan plan, GrpcChannel channel, int stream, string cursor)
    {
        using var done = new CancellationTokenSource();
        var changes = 0L;
        await ReadAsync(
            plan, channel, stream, cursor,
            frame =>
            {
                changes += frame.Batch?.Changes.Sum(static change => change.Added.Count) ?? 0;
                if (frame.Ready is not null)
                {
                    done.Cancel();
                }
            },
            done.Token);
        return changes >= plan.Changes ? changes : throw new InvalidOperationException($"A stream got {changes} of {plan.Changes} changes.");
    }

    private static async Task ReadAsync(
        CrowdPlan plan, GrpcChannel channel, int stream, string cursor, Action<SubscribeResponse> take, CancellationToken cancellationToken)
    {
        var request = new SubscribeRequest { Collection = "live", Scope = DocumentScope.All, Filter = """data.room = "main" """, Cursor = cursor };
        var token = plan.Tokens[1 + (stream % (plan.Tokens.Count - 1))];
        using var call = new RealtimeService.RealtimeServiceClient(channel).Subscribe(
            request, new Metadata { { "authorization", $"Bearer {token}" } }, cancellationToken: cancellationToken);
        try
        {
            await foreach (var frame in call.ResponseStream.ReadAllAsync(cancellationToken))
            {
                take(frame);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            // It has left.
        }
    }

    private static async Task WriteAsync(CrowdPlan plan, GrpcChannel channel)
    {
        var client = new DocumentsService.DocumentsServiceClient(channel);
        var headers = new Metadata { { "authorization", $"Bearer {plan.Tokens[0]}" } };
        var document = new Document
        {
            Collection = "live", Data = StructJson.ToStruct(Encoding.UTF8.GetBytes(LiveDriver.Body)), Acl = new() { Read = new() { Allow = { "*" } } },
        };
        for (var left = plan.Changes; left > 0; left -= BatchSize)
        {
            var request = new BatchWriteDocumentsRequest { Writes = { Enumerable.Range(0, Math.Min(left, BatchSize)).Select(_ => new Write { Create = document }) } };
            await client.BatchWriteDocumentsAsync(request, headers);
        }
    }
}
