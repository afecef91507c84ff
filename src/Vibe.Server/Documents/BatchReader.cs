using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Reads the writes of a batch.</summary>
internal static class BatchReader
{
    /// <summary>How many writes a batch has at most.</summary>
    public const int MaxWrites = 500;

    /// <summary>How long the bodies of a batch may be together, as JSON text.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    /// <summary>The writes.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT, SCOPE_REQUIRED.</exception>
    public static List<DocumentWrite> Read(IList<Write> writes, WriteReader reader)
    {
        if (writes.Count is 0 or > MaxWrites)
        {
            throw VibeError.InvalidField("writes", $"has 1 to {MaxWrites} writes", "batch.size");
        }

        List<DocumentWrite> result = new(writes.Count);
        var bytes = 0L;
        for (var i = 0; i < writes.Count; i++)
        {
            var write = Read(writes[i], FieldNames.Item("writes", i), i, reader);
            bytes += (write.Data?.Length ?? 0) + (write.Changes?.Length ?? 0);
            if (bytes > MaxBytes)
            {
                throw VibeError.InvalidField("writes", "has at most 8 MiB of data in all", "batch.size");
            }

            result.Add(write);
        }

        return result;
    }

    private static DocumentWrite Read(Write write, string field, int index, WriteReader reader)
    {
        var etag = write.PreconditionCase == Write.PreconditionOneofCase.Etag ? write.Etag : "";
        var exists = write.PreconditionCase == Write.PreconditionOneofCase.Exists ? write.Exists : (bool?)null;
        switch (write.OperationCase)
        {
            case Write.OperationOneofCase.Create when write.PreconditionCase != Write.PreconditionOneofCase.None:
                throw VibeError.InvalidField(field, "a create takes no precondition", "batch.precondition");
            case Write.OperationOneofCase.Create:
                return reader.Create(write.Create, $"{field}.create", index);
            case Write.OperationOneofCase.Update when exists is not null:
                throw VibeError.InvalidField($"{field}.exists", "an update always requires that the document exists", "batch.precondition");
            case Write.OperationOneofCase.Update:
                var update = $"{field}.update";
                return WriteReader.Update(
                    write.Update.Document?.Id ?? "", $"{update}.document.id", write.Update.Document, $"{update}.document",
                    write.Update.UpdateMask, $"{update}.updateMask", etag, index);
            case Write.OperationOneofCase.Upsert:
                return reader.Upsert(write.Upsert, $"{field}.upsert", etag, exists, index);
            case Write.OperationOneofCase.Delete when exists == false:
                throw VibeError.InvalidField($"{field}.exists", "there is nothing to delete in what does not exist", "batch.precondition");
            case Write.OperationOneofCase.Delete:
                return WriteReader.Delete(write.Delete.Id, $"{field}.delete.id", etag, exists, index);
            default:
                throw VibeError.InvalidField(field, "one of `create`, `update`, `upsert` and `delete` must be set", "batch.operation");
        }
    }
}
