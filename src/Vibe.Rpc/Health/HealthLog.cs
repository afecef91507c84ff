using Microsoft.Extensions.Logging;

namespace Vibe.Rpc.Health;

/// <summary>Events 2400 to 2409.</summary>
internal static partial class HealthLog
{
    [LoggerMessage(2400, LogLevel.Warning, "The health checks did not finish within {Timeout}; the server counts as not serving.")]
    public static partial void TimedOut(ILogger logger, TimeSpan timeout);
}
