namespace Vibe.Server.Realtime;

/// <summary>Log messages of the realtime feature: event ids 2100 to 2199.</summary>
internal static partial class RealtimeLog
{
    /// <summary>The feed broke and is opened again.</summary>
    [LoggerMessage(EventId = 2100, Level = LogLevel.Warning, Message = "The change feed was lost; it is opened again and live queries catch up.")]
    public static partial void FeedLost(ILogger logger, Exception exception);

    /// <summary>The feed is there.</summary>
    [LoggerMessage(EventId = 2101, Level = LogLevel.Information, Message = "The change feed is live.")]
    public static partial void FeedReady(ILogger logger);

    /// <summary>A target failed in a way nobody foresaw.</summary>
    [LoggerMessage(EventId = 2102, Level = LogLevel.Error, Message = "A live query failed; the others of its stream go on.")]
    public static partial void TargetFailed(ILogger logger, Exception exception);

    /// <summary>Restored transactions were given a number of this cluster.</summary>
    [LoggerMessage(EventId = 2103, Level = LogLevel.Warning, Message = "{Count} documents come from another cluster; their changes were renumbered for the change feed.")]
    public static partial void Renumbered(ILogger logger, long count);
}
