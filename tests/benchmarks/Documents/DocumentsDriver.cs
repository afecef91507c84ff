using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Documents.V1;
using Vibe.Rpc.Json;

namespace Vibe.Benchmarks.Documents;

/// <summary>How a contender is spoken to.</summary>
internal enum Wire
{
    /// <summary>Our client, one HTTP/2 connection, answers as messages.</summary>
    Grpc,

    /// <summary>HttpClient, HTTP/1.1, answers parsed with JsonDocument.</summary>
    Rest,

    /// <summary>Like REST, the routes of <see cref="AlternativeServer"/>.</summary>
    Alternative,
}

/// <summary>What a client process does.</summary>
internal sealed record DrivePlan(
    Wire Wire, string Url, string Token, DocumentsCase Case, IReadOnlyList<string> Ids, int Clients, TimeSpan WarmUp, TimeSpan Duration);

/// <summary>What clients measured: calls, latencies in milliseconds, and the processor time they needed themselves for a call, in microseconds.</summary>
internal sealed record DriveResult(long Calls, double PerSecond, double P50, double P95, double ClientCpu = 0);

/// <summary>
/// The clients: a process of its own, each client with one call at a time, as fast as they are answered. Every answer is
/// read and parsed; any failure ends the run.
/// </summary>
internal static class DocumentsDriver
{
    /// <summary>Warms up, says "measuring", and prints the result as JSON.</summary>
    public static async Task RunAsync(string planFile)
    {
        var plan = JsonSerializer.Deserialize<DrivePlan>(await File.ReadAllBytesAsync(planFile))!;
        var call = plan.Wire == Wire.Grpc ? Grpc(plan) : Http(plan);
        await LoopAsync(plan, call, plan.WarmUp);
        Console.WriteLine("measuring");
        var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        var latencies = await LoopAsync(plan, call, plan.Duration);
        var (elapsed, used) = (Stopwatch.GetElapsedTime(started), Environment.CpuUsage.TotalTime - cpu);
        Console.WriteLine("result " + JsonSerializer.Serialize(Result(latencies, elapsed) with { ClientCpu = used.TotalMicroseconds / latencies.Count }));
    }

    /// <summary>The result of calls that took so many microseconds each.</summary>
    public static DriveResult Result(List<double> microseconds, TimeSpan elapsed)
    {
        microseconds.Sort();
        return new(microseconds.Count, microseconds.Count / elapsed.TotalSeconds, At(0.5), At(0.95));

        double At(double share) => microseconds[Math.Min(microseconds.Count - 1, (int)(microseconds.Count * share))] / 1000;
    }

    private static async Task<List<double>> LoopAsync(DrivePlan plan, Func<int, Task> call, TimeSpan duration)
    {
        var all = new ConcurrentBag<List<double>>();
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, plan.Clients).Select(client => Task.Run(async () =>
        {
            var latencies = new List<double>();
            for (var turn = client; Stopwatch.GetElapsedTime(started) < duration; turn += plan.Clients)
            {
                var from = Stopwatch.GetTimestamp();
                await call(turn);
                latencies.Add(Stopwatch.GetElapsedTime(from).TotalMicroseconds);
            }

            all.Add(latencies);
        })));
        return [.. all.SelectMany(static latencies => latencies)];
    }

    private static Func<int, Task> Grpc(DrivePlan plan)
    {
        var client = new DocumentsService.DocumentsServiceClient(GrpcChannel.ForAddress(plan.Url));
        var headers = new Metadata { { "authorization", $"Bearer {plan.Token}" } };
        var (what, body) = (plan.Case, StructJson.ToStruct(Encoding.UTF8.GetBytes(DocumentsCase.Body)));
        return what.Operation switch
        {
            Operation.Get => async turn => await client.GetDocumentAsync(new() { Id = Id(turn) }, headers),
            Operation.Create => async _ => await client.CreateDocumentAsync(new() { Document = new() { Collection = what.Collection, Data = body } }, headers),
            Operation.Update => async turn => await client.UpdateDocumentAsync(
                new() { Id = Id(turn), Document = new() { Data = StructJson.ToStruct(Encoding.UTF8.GetBytes(DocumentsCase.Patch(turn))) } }, headers),
            Operation.List => async _ => await client.ListDocumentsAsync(
                new() { Collection = what.Collection, Scope = what.Scope, Filter = what.Filter, OrderBy = what.OrderBy, PageSize = DocumentsCase.PageSize }, headers),
            _ => async _ => await client.SearchDocumentsAsync(
                new() { Collection = what.Collection, Scope = what.Scope, Query = what.Value, PageSize = DocumentsCase.PageSize }, headers),
        };

        string Id(int turn) => plan.Ids[turn % plan.Ids.Count];
    }

    private static Func<int, Task> Http(DrivePlan plan)
    {
        var client = new HttpClient { BaseAddress = new Uri(plan.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", plan.Token);
        var what = plan.Case;
        var list = plan.Wire == Wire.Rest ? RestList(what) : AlternativeServer.Route(what);
        return what.Operation switch
        {
            Operation.Get => turn => SendAsync(HttpMethod.Get, $"/v1/documents/{Id(turn)}", null),
            Operation.Create => _ => SendAsync(HttpMethod.Post, "/v1/documents", $$"""{"collection":"{{what.Collection}}","data":{{DocumentsCase.Body}}}"""),
            Operation.Update => turn => SendAsync(HttpMethod.Patch, $"/v1/documents/{Id(turn)}", $$"""{"data":{{DocumentsCase.Patch(turn)}}}"""),
            _ => _ => SendAsync(HttpMethod.Get, list, null),
        };

        string Id(int turn) => plan.Ids[turn % plan.Ids.Count];

        async Task SendAsync(HttpMethod method, string path, string? json)
        {
            using var request = new HttpRequestMessage(method, path);
            if (json is not null)
            {
                request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json)) { Headers = { ContentType = new("application/json") } };
            }

            using var response = await client.SendAsync(request);
            response.EnsureSuccessStatusCode();
            using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        }
    }

    private static string RestList(DocumentsCase what)
    {
        var query = $"collection={what.Collection}&scope={what.Scope.ToString().ToUpperInvariant()}&page_size={DocumentsCase.PageSize}";
        return what.Operation == Operation.Search
            ? $"/v1/documents:search?{query}&query={Uri.EscapeDataString(what.Value)}"
            : $"/v1/documents?{query}&filter={Uri.EscapeDataString(what.Filter)}&order_by={what.OrderBy}";
    }
}
