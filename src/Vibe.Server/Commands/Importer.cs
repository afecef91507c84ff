using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Rpc;
using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Rpc;
using Vibe.Rpc.Json;

namespace Vibe.Server.Commands;

/// <summary>What to import and how.</summary>
internal sealed record ImportPlan
{
    /// <summary>The file: one JSON array, or one JSON object a line.</summary>
    public required string File { get; init; }

    /// <summary>The collection the documents go to.</summary>
    public required string Collection { get; init; }

    /// <summary>Whether everyone may read them.</summary>
    public bool Public { get; init; }

    /// <summary>The field whose value becomes the key; null: the row's number.</summary>
    public string? KeyField { get; init; }
}

/// <summary>A row that was left out.</summary>
internal sealed record BadRow(long Number, long Line, string Reason);

/// <summary>What has been done so far, and whether that is noted: an import without a note starts again from the first row.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ImportProgress(long Rows, long Bytes, long Bad, bool IsNoted);

/// <summary>
/// Writes the rows of a file as documents, through the API like any app. Each row has a key of its own, so writing it
/// twice leaves one document; a note beside the file says how far the import came, so that it goes on there.
/// </summary>
internal sealed class Importer(DocumentsService.DocumentsServiceClient documents, Metadata headers, TimeProvider time)
{
    private const int BatchRows = 500;
    private const int BatchBytes = 4 * 1024 * 1024;
    private const int BatchesInFlight = 3;
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(60);

    /// <summary>Runs the import to the end of the file.</summary>
    /// <returns>The rows that were left out.</returns>
    public async Task<IReadOnlyList<BadRow>> RunAsync(ImportPlan plan, Action<ImportProgress> report, CancellationToken cancellationToken)
    {
        var checkpoint = ImportCheckpoint.Open(plan);
        var bad = new List<BadRow>();
        var inFlight = new Queue<Task<Batch>>();
        var batch = new Batch();

        await using var file = File.OpenRead(plan.File);
        await foreach (var row in JsonRows.ReadAsync(file, cancellationToken))
        {
            if (row.Number <= checkpoint.RowsDone)
            {
                continue;
            }

            batch.Add(row, plan);
            if (batch.Writes.Count >= BatchRows || batch.Bytes >= BatchBytes)
            {
                inFlight.Enqueue(WriteAsync(batch, cancellationToken));
                batch = new Batch();
                if (inFlight.Count >= BatchesInFlight)
                {
                    Finish(await inFlight.Dequeue());
                }
            }
        }

        inFlight.Enqueue(WriteAsync(batch, cancellationToken));
        while (inFlight.TryDequeue(out var task))
        {
            Finish(await task);
        }

        checkpoint.Delete();
        return bad;

        void Finish(Batch done)
        {
            bad.AddRange(done.Bad);
            if (done.LastRow.Number > 0)
            {
                var isNoted = checkpoint.TrySave(done.LastRow.Number);
                report(new ImportProgress(done.LastRow.Number, done.LastRow.EndOffset, bad.Count, isNoted));
            }
        }
    }

    private async Task<Batch> WriteAsync(Batch batch, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (batch.Writes.Count > 0)
        {
            try
            {
                var request = new BatchWriteDocumentsRequest();
                request.Writes.AddRange(batch.Writes.Select(write => write.Write));
                await documents.BatchWriteDocumentsAsync(request, headers, cancellationToken: cancellationToken);
                break;
            }
            catch (RpcException exception) when (IndexOf(exception) is { } index && index < batch.Writes.Count)
            {
                batch.Reject(index, exception.Status.Detail);
            }
            catch (RpcException exception) when (
                exception.StatusCode is StatusCode.Unavailable or StatusCode.ResourceExhausted or StatusCode.Aborted
                && time.GetElapsedTime(started) < GiveUpAfter)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), time, cancellationToken);
            }
        }

        return batch;
    }

    // Which write of the batch the server refused: in the metadata, or in the path of the first field violation.
    private static int? IndexOf(RpcException exception)
    {
        if (exception.GetErrorInfo() is { } info && info.Metadata.TryGetValue("index", out var text)
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
        {
            return index;
        }

        var field = exception.GetRpcStatus()?.GetDetail<BadRequest>()?.FieldViolations.FirstOrDefault()?.Field;
        return field is not null && field.StartsWith("writes[", StringComparison.Ordinal) && field.IndexOf(']', StringComparison.Ordinal) is var end and > 0
            && int.TryParse(field.AsSpan(7, end - 7), NumberStyles.None, CultureInfo.InvariantCulture, out index)
            ? index
            : null;
    }

    private sealed class Batch
    {
        public List<(JsonRow Row, Write Write)> Writes { get; } = [];

        public List<BadRow> Bad { get; } = [];

        public int Bytes { get; private set; }

        public JsonRow LastRow { get; private set; }

        public void Add(JsonRow row, ImportPlan plan)
        {
            LastRow = row with { Json = default };
            if (row.Error is not null)
            {
                Bad.Add(new BadRow(row.Number, row.Line, row.Error));
                return;
            }

            try
            {
                Bytes += row.Json.Length;
                Writes.Add((row with { Json = default }, new Write { Upsert = DocumentOf(row, plan) }));
            }
            catch (StructJsonException exception)
            {
                Bad.Add(new BadRow(row.Number, row.Line, exception.Message));
            }
            catch (FormatException exception)
            {
                Bad.Add(new BadRow(row.Number, row.Line, exception.Message));
            }
        }

        public void Reject(int index, string reason)
        {
            var row = Writes[index].Row;
            Bad.Add(new BadRow(row.Number, row.Line, reason));
            Writes.RemoveAt(index);
        }

        private static Document DocumentOf(JsonRow row, ImportPlan plan) => new()
        {
            Collection = plan.Collection,
            Key = plan.KeyField is null ? row.Number.ToString("D9", CultureInfo.InvariantCulture) : KeyOf(row, plan.KeyField),
            Data = StructJson.ToStruct(row.Json.Span),
            Acl = plan.Public ? new AccessControl { Read = new AccessRule { Allow = { Kernel.PrincipalName.Everyone } } } : null,
        };

        private static string KeyOf(JsonRow row, string field)
        {
            using var document = JsonDocument.Parse(row.Json);
            return document.RootElement.TryGetProperty(field, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number
                ? value.ToString()
                : throw new FormatException($"The row has no string or number in {field}.");
        }
    }
}
