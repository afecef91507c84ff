using System.Globalization;

namespace Vibe.Postgres.Embedded;

/// <summary>The server's <c>postmaster.pid</c>, which says who runs on a data directory and how far it has come.</summary>
/// <param name="Pid">Process id of the postmaster.</param>
/// <param name="SocketDirectory">Where it listens; empty until it does.</param>
/// <param name="Status">Last line: <c>starting</c>, <c>stopping</c>, <c>ready</c> or <c>standby</c>.</param>
internal sealed record PostmasterFile(int Pid, string SocketDirectory, string Status)
{
    public bool IsReady => Status is "ready";

    public bool IsStopping => Status is "stopping";

    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, "postmaster.pid");

    /// <summary>The file's content, or null when there is none or it is only being written.</summary>
    public static PostmasterFile? Read(string dataDirectory)
    {
        try
        {
            var lines = File.ReadAllLines(PathIn(dataDirectory));
            return lines.Length > 0 && int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                ? new(pid, lines.Length > 4 ? lines[4].Trim() : "", lines.Length > 7 ? lines[7].Trim() : "starting")
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Whether <paramref name="pid"/> is alive and a server on this data directory, rather than a stranger with a recycled id.</summary>
    public static bool IsServer(int pid, string dataDirectory)
    {
        if (!IsAlive(pid))
        {
            return false;
        }
        // A postmaster and all its children work inside the data directory. Without /proc the id alone must do.
        return !Directory.Exists("/proc/self") || WorksIn(pid, dataDirectory);
    }

    /// <summary>Whether any process, say a backend that outlived its postmaster, still works in the data directory.</summary>
    public static bool AnyServer(string dataDirectory) =>
        Directory.Exists("/proc/self") && Directory.EnumerateDirectories("/proc")
            .Any(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var pid) && WorksIn(pid, dataDirectory));

    /// <summary>Whether the process runs; one that ended but was not yet collected by its parent does not.</summary>
    public static bool IsAlive(int pid)
    {
        if (!PosixCalls.ProcessExists(pid))
        {
            return false;
        }
        try
        {
            var stat = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..] is not ['Z' or 'X', ..];
        }
        catch (IOException)
        {
            // No /proc here; or it ended this moment, and the next look says so.
            return PosixCalls.ProcessExists(pid);
        }
    }

    // Compared through the process's own view of its directory: the path may lead through symbolic links, the file's content
    // (process id, start time, shared memory key) is unique.
    private static bool WorksIn(int pid, string dataDirectory)
    {
        try
        {
            var seen = PathIn($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/cwd");
            return File.Exists(seen) && File.ReadAllText(seen) == File.ReadAllText(PathIn(dataDirectory));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
