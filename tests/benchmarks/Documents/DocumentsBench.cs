using System.Text.Json;
using Vibe.Benchmarks.Measuring;
using Vibe.Documents.V1;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Benchmarks.Documents;

/// <summary>
/// Documents through the real server with its embedded PostgreSQL: beside a server written by hand without row-level
/// security, and beside pgbench with the same SQL, with and without row-level security. Client, server and database share
/// the machine.
/// </summary>
internal sealed class DocumentsBench(BenchOptions options, Report report)
{
    private const int Clients = 8;
    private const double GrpcTarget = 1.5;
    private const double RestTarget = 1;
    private const double RowSecurityTarget = 1.1;
    private const double QueryMilliseconds = 100;
    private const double QueryRowSecurityTarget = 2;
    private const string Scratch = "scratch";

    private static readonly DocumentsCase[] Cases =
    [
        new("get", Operation.Get, "notes"),
        new("create", Operation.Create, Scratch),
        new("update", Operation.Update, "notes"),
        new("list 50", Operation.List, "cities"),
        new("filter, ordered, 50", Operation.List, "cities") { Field = "country", Value = "PT", Order = "name" },
        new("search", Operation.Search, "cities") { Value = "santa maria" },
    ];

    private static readonly DocumentsCase[] MixedCases =
    [
        new("list 50 of all I may see", Operation.List, Dataset.MixedCollection) { Scope = DocumentScope.All },
        new("filter all I may see", Operation.List, Dataset.MixedCollection) { Scope = DocumentScope.All, Field = "ref", Value = "r77" },
    ];

    /// <summary>Measures at 171,075 documents, or at a million.</summary>
    public async Task RunAsync(bool isMillion)
    {
        var stage = isMillion ? "1M" : "171k";
        var data = BenchOptions.NewFolder();
        try
        {
            await using (var dataset = await Dataset.StartAsync(data))
            {
                if (isMillion)
                {
                    await dataset.GrowAsync();
                }

                await StageAsync(dataset, stage, isMillion ? [.. Cases, .. MixedCases] : Cases);
                report.Add(new($"memory of the server after the run at {stage}", "MiB", dataset.Server.Memory / 1048576.0));
            }

            report.Add(new($"start, with the documents of the run at {stage}", "s", await StartBench.StartAsync(data)) { AtMost = StartBench.ExistingTarget });
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private async Task StageAsync(Dataset dataset, string stage, DocumentsCase[] cases)
    {
        await dataset.ExecuteAsync(AlternativeServer.Schema);
        var port = ServerProcess.FreePort();
        await using var alternative = await ServerProcess.StartSelfAsync("serve-alternative", $"{port}", dataset.Admin, dataset.Me);
        foreach (var what in cases)
        {
            var ready = what.Collection == "cities" ? (string[])["data.country", "data.country, data.name", "data.name"] : what.Collection == Dataset.MixedCollection ? ["data.ref"] : [];
            var caller = new Caller { Did = dataset.Me, Principals = [dataset.Me, PrincipalName.Users], Scopes = Scopes.AllDocuments };
            var limit = new PgBench(dataset.Socket, caller, [.. ready.Select(static path => new IndexedFields(QueryReader.Fields(path, "path")))]);
            var ids = what.Operation == Operation.Update ? dataset.OwnIds : dataset.GetIds;
            var grpc = new List<Measured>();
            var rest = new List<Measured>();
            var other = new List<Measured>();
            var database = new List<DriveResult>();
            var open = new List<Measured>();
            var databaseOpen = new List<DriveResult>();
            foreach (var wire in Enum.GetValues<Wire>())
            {
                await DriveAsync(wire, options.Settle);
            }

            for (var round = 0; round < options.Rounds; round++)
            {
                grpc.Add(await DriveAsync(Wire.Grpc, options.WarmUp));
                rest.Add(await DriveAsync(Wire.Rest, options.WarmUp));
                other.Add(await DriveAsync(Wire.Alternative, options.WarmUp));
                database.Add(await limit.RunAsync(what, ids, Clients, options.Duration));
                await dataset.SetRowSecurityAsync(isOn: false);
                open.Add(await DriveAsync(Wire.Grpc, options.WarmUp));
                databaseOpen.Add(await limit.RunAsync(what, ids, Clients, options.Duration));
                await dataset.SetRowSecurityAsync(isOn: true);
            }

            Add(what, stage, grpc, rest, other, database, open, databaseOpen);

            async Task<Measured> DriveAsync(Wire wire, TimeSpan warmUp)
            {
                var (url, token, server) = wire == Wire.Alternative
                    ? ($"http://127.0.0.1:{port}", AlternativeServer.Token, alternative)
                    : (dataset.Url, dataset.Token, dataset.Server);
                return await MeasureAsync(new(wire, url, token, what, ids, Clients, warmUp, options.Duration), server, dataset.DatabaseProcess);
            }
        }

        await dataset.RemoveAsync(Scratch);
    }

    private void Add(
        DocumentsCase what, string stage, List<Measured> grpc, List<Measured> rest, List<Measured> other,
        List<DriveResult> database, List<Measured> open, List<DriveResult> databaseOpen)
    {
        var (byHand, limit) = (Median(other, static m => m.PerSecond), BenchOptions.Median(database.Select(static m => m.PerSecond)));
        report.Add(new($"{what.Name} at {stage}, gRPC", "calls/s", Median(grpc, static m => m.PerSecond))
        {
            Comparisons = [new("by hand", byHand, AtLeast: what.Operation == Operation.Search ? null : GrpcTarget), new("pgbench", limit)],
            Note = Note("Vibe", grpc) + "; " + Note("by hand", other),
        });
        report.Add(new($"{what.Name} at {stage}, REST", "calls/s", Median(rest, static m => m.PerSecond))
        {
            Comparisons = [new("by hand", byHand, AtLeast: what.Operation == Operation.Search ? null : RestTarget), new("pgbench", limit)],
            Note = Note("Vibe", rest),
        });
        report.Add(new($"{what.Name} at {stage}, p50", "ms", Median(grpc, static m => m.P50)) { Comparisons = [new("by hand", Median(other, static m => m.P50))] });
        var isTimed = what.IsQuery && stage == "1M";
        report.Add(new($"{what.Name} at {stage}, p95", "ms", Median(grpc, static m => m.P95))
        {
            AtMost = isTimed ? QueryMilliseconds : null,
            Comparisons = [new("without RLS", Median(open, static m => m.P95), AtMost: isTimed ? QueryRowSecurityTarget : null), new("by hand", Median(other, static m => m.P95))],
        });
        report.Add(new($"{what.Name} at {stage}, pgbench", "µs/call", Clients * 1e6 / limit)
        {
            Comparisons = [new("without RLS", Clients * 1e6 / BenchOptions.Median(databaseOpen.Select(static m => m.PerSecond)), AtMost: RowSecurityTarget)],
        });
    }

    /// <summary>Runs a client process, and looks at what server and database use meanwhile.</summary>
    public static async Task<Measured> MeasureAsync(DrivePlan plan, ServerProcess server, int database)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, JsonSerializer.SerializeToUtf8Bytes(plan));
        await using var client = ServerProcess.Start("dotnet", [BenchOptions.Self, "drive", file]);
        await client.WaitForLineAsync("measuring");
        var (serverBefore, databaseBefore) = (server.Cpu, ServerProcess.CpuOfFamily(database));
        var line = await client.WaitForLineAsync("result ");
        var (serverAfter, databaseAfter) = (server.Cpu, ServerProcess.CpuOfFamily(database));
        File.Delete(file);
        var result = JsonSerializer.Deserialize<DriveResult>(line["result ".Length..])!;
        return new(
            result.PerSecond, result.P50, result.P95, (serverAfter - serverBefore).TotalMicroseconds / result.Calls,
            (databaseAfter - databaseBefore).TotalMicroseconds / result.Calls, result.ClientCpu);
    }

    private static string Note(string who, List<Measured> measured) =>
        $"CPU µs/call of {who}: server {Median(measured, static m => m.ServerCpu):0}, database {Median(measured, static m => m.DatabaseCpu):0}, client {Median(measured, static m => m.ClientCpu):0}";

    private static double Median(List<Measured> measured, Func<Measured, double> value) => BenchOptions.Median(measured.Select(value));
}

/// <summary>What a client process measured: calls a second, milliseconds, and the processor time of a call in microseconds.</summary>
internal sealed record Measured(double PerSecond, double P50, double P95, double ServerCpu, double DatabaseCpu, double ClientCpu);
