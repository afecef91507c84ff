namespace Vibe.Postgres.Embedded;

/// <summary>The server's log: one file and one older one, each at most <see cref="MaxBytes"/> plus what comes in between two checks.</summary>
internal sealed class ServerLog(string path)
{
    public const long MaxBytes = 8 * 1024 * 1024;
    private const int TailBytes = 16 * 1024;

    public string FilePath => path;

    public long Length => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>Copies a large log aside and empties it. The server appends (O_APPEND), so it carries on at the start of the file.</summary>
    public void Trim()
    {
        if (Length < MaxBytes)
        {
            return;
        }
        try
        {
            File.Copy(path, path + ".1", overwrite: true);
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            file.SetLength(0);
        }
        catch (IOException)
        {
            // A full disk: the log keeps growing slowly and the next check tries again.
        }
    }

    /// <summary>What was written since the log was <paramref name="offset"/> bytes long, the last part of it.</summary>
    public string ReadSince(long offset)
    {
        if (!File.Exists(path))
        {
            return "";
        }
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Position = Math.Max(Math.Min(offset, file.Length), file.Length - TailBytes);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }
}
