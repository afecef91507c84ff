namespace Vibe.Postgres.Embedded;

/// <summary>Turns what the system or PostgreSQL said into one sentence that tells an operator what to do.</summary>
internal static class StartFailure
{
    /// <summary>A failed file operation on <paramref name="path"/>.</summary>
    public static EmbeddedClusterException From(string path, Exception exception) => exception switch
    {
        EmbeddedClusterException known => known,
        UnauthorizedAccessException when !exception.Message.Contains("Read-only", StringComparison.OrdinalIgnoreCase) =>
            new($"Vibe may not write to {path}: give user {Environment.UserName} that right, or choose another data directory.", exception),
        _ => new(Explain(exception.Message, path) ?? $"The data directory {path} cannot be used ({exception.Message.TrimEnd('.')}): choose another one.", exception),
    };

    /// <summary>A failed <paramref name="program"/>, from what it printed.</summary>
    public static EmbeddedClusterException From(string program, string output, ClusterDirectory directory)
    {
        var cause = LastComplaint(output);
        return new(Explain(output, directory.Root)
            ?? $"{program} failed{(cause is null ? "" : $" with \"{cause}\"")}: see {directory.Log}.");
    }

    private static string? Explain(string text, string path)
    {
        if (Says(text, "No space left on device") || Says(text, "disk full") || Says(text, "not enough space"))
        {
            return $"The disk that holds {path} is full: free some space and start again.";
        }
        if (Says(text, "Read-only file system"))
        {
            return $"The disk that holds {path} is read-only: make it writable, or choose another data directory.";
        }
        if (Says(text, "Disk quota exceeded"))
        {
            return $"The disk quota for {path} is used up: free some space or raise it, and start again.";
        }
        if (Says(text, "could not map anonymous shared memory") || Says(text, "could not create shared memory segment") || Says(text, "Cannot allocate memory"))
        {
            return "There is not enough memory for PostgreSQL: free some, or raise the limit of this container.";
        }
        if (Says(text, "could not look up effective user ID"))
        {
            return "PostgreSQL needs a user with a name, and this process's user id has none: add it to /etc/passwd, or use an external database through ConnectionStrings__Vibe.";
        }
        if (Says(text, "invalid locale name"))
        {
            return "This machine lacks the C.UTF-8 locale that PostgreSQL 16 and older need: install it, or set VIBE_POSTGRES_BIN to PostgreSQL 17 or later.";
        }
        if (Says(text, "could not locate a valid checkpoint record") || Says(text, "invalid page in block") || Says(text, "PANIC:"))
        {
            return $"The database in {path} is damaged ({LastComplaint(text)}): restore a backup.";
        }
        if (Says(text, "has wrong ownership"))
        {
            return $"The database in {path} belongs to another user: start Vibe as the user who created it, or change the owner.";
        }
        return null;
    }

    private static bool Says(string text, string words) => text.Contains(words, StringComparison.OrdinalIgnoreCase);

    private static string? LastComplaint(string output)
    {
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Reverse())
        {
            foreach (var level in (ReadOnlySpan<string>)["FATAL:", "PANIC:", "error:"])
            {
                if (line.IndexOf(level, StringComparison.Ordinal) is >= 0 and var at)
                {
                    return line[(at + level.Length)..].Trim();
                }
            }
        }
        return null;
    }
}
