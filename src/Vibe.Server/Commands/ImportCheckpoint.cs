using System.Text.Json;

namespace Vibe.Server.Commands;

/// <summary>
/// How far an import came: a small file beside the imported one. It counts only for the same file (size and time of
/// change) and the same plan.
/// </summary>
internal sealed class ImportCheckpoint
{
    private readonly string _path;
    private readonly string _identity;

    private ImportCheckpoint(string path, string identity, long rowsDone)
    {
        _path = path;
        _identity = identity;
        RowsDone = rowsDone;
    }

    /// <summary>Rows that need not be written again.</summary>
    public long RowsDone { get; private set; }

    /// <summary>Finds the checkpoint of an earlier run, or starts at the beginning.</summary>
    public static ImportCheckpoint Open(ImportPlan plan)
    {
        var file = new FileInfo(plan.File);
        var identity = $"{file.Length}:{file.LastWriteTimeUtc.Ticks}:{plan.Collection}:{plan.Public}:{plan.KeyField}";
        var path = $"{plan.File}.vibe-import";
        return new ImportCheckpoint(path, identity, Read(path) is { } saved && saved.Identity == identity ? saved.RowsDone : 0);
    }

    /// <summary>Remembers that everything up to the row is written.</summary>
    /// <returns>False when it cannot: an import must not end because its folder is read-only or full.</returns>
    public bool TrySave(long rowsDone)
    {
        RowsDone = rowsDone;
        try
        {
            // Replaced as a whole: a crash leaves the old one or the new one.
            var temporary = $"{_path}.new";
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(new Saved(_identity, rowsDone)));
            File.Move(temporary, _path, overwrite: true);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Forgets everything: the import is complete. A file that cannot be deleted stays, and only says that all is done.</summary>
    public void Delete()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static Saved? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Saved>(File.ReadAllBytes(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private sealed record Saved(string Identity, long RowsDone);
}
