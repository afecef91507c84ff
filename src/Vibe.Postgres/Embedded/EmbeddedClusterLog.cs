using Microsoft.Extensions.Logging;

namespace Vibe.Postgres.Embedded;

internal static partial class EmbeddedClusterLog
{
    [LoggerMessage(1100, LogLevel.Information, "PostgreSQL {Version} is ready in {DataDirectory}, process {Pid}, after {ElapsedMilliseconds} ms")]
    public static partial void Ready(this ILogger logger, string version, string dataDirectory, int pid, long elapsedMilliseconds);

    [LoggerMessage(1101, LogLevel.Information, "Adopted PostgreSQL process {Pid}, left behind by an earlier run")]
    public static partial void Adopted(this ILogger logger, int pid);

    [LoggerMessage(1102, LogLevel.Information, "Stopping PostgreSQL process {Pid} of an earlier run: {Reason}")]
    public static partial void StoppingOrphan(this ILogger logger, int pid, string reason);

    [LoggerMessage(1103, LogLevel.Warning, "PostgreSQL process {Pid} ended unexpectedly; starting it again")]
    public static partial void Died(this ILogger logger, int pid);

    [LoggerMessage(1104, LogLevel.Information, "PostgreSQL runs again as process {Pid} after {ElapsedMilliseconds} ms")]
    public static partial void Restarted(this ILogger logger, int pid, long elapsedMilliseconds);

    [LoggerMessage(1105, LogLevel.Warning, "Restart {Attempt} of PostgreSQL failed")]
    public static partial void RestartFailed(this ILogger logger, int attempt, Exception exception);

    [LoggerMessage(1106, LogLevel.Error, "PostgreSQL does not stay up; giving up after {Attempts} restarts")]
    public static partial void GaveUp(this ILogger logger, int attempts, Exception exception);
}
