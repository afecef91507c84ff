using Microsoft.Extensions.Logging;

namespace Vibe.Client;

/// <summary>What the client tells its log: never bodies, never tokens.</summary>
internal static partial class VibeLog
{
    [LoggerMessage(1, LogLevel.Debug, "{Method} failed with {Reason}; it is sent again after {Milliseconds:F0} ms")]
    public static partial void Repeated(ILogger log, string method, string reason, double milliseconds);

    [LoggerMessage(2, LogLevel.Information, "A stream has ended ({Reason}); it is opened again after {Milliseconds:F0} ms")]
    public static partial void Reopens(ILogger log, string reason, double milliseconds);

    [LoggerMessage(3, LogLevel.Debug, "There is a new access token")]
    public static partial void Renewed(ILogger log);

    [LoggerMessage(4, LogLevel.Warning, "The presence in {Channel} could not be set: {Reason}")]
    public static partial void PresenceFailed(ILogger log, string channel, string reason);
}
