namespace Vibe.Server.Realtime;

/// <summary>Log messages of the realtime feature: event ids 2100 to 2199.</summary>
internal static partial class RealtimeLog
{
    /// <summary>The feed broke and is opened again.</summary>
    [LoggerMessage(EventId = 2100, Level = LogLevel.Warning, Message = "The change feed was lost; it is opened again and live queries catch up.")]
    public static partial void FeedLost(ILogger logger, Exception exception);

    /// <summary>The feed is there.</summary>
    [LoggerMessage(EventId = 2101, Level = LogLevel.Information, Message = "The change feed is live, by {Source}.")]
    public static partial void FeedReady(ILogger logger, string source);

    /// <summary>A target failed in a way nobody foresaw.</summary>
    [LoggerMessage(EventId = 2102, Level = LogLevel.Error, Message = "A live query failed; the others of its stream go on.")]
    public static partial void TargetFailed(ILogger logger, Exception exception);

    /// <summary>Restored transactions were given a number of this cluster.</summary>
    [LoggerMessage(EventId = 2103, Level = LogLevel.Warning, Message = "{Count} documents come from another cluster; their changes were renumbered for the change feed.")]
    public static partial void Renumbered(ILogger logger, long count);

    /// <summary>Nodes cannot talk.</summary>
    [LoggerMessage(EventId = 2110, Level = LogLevel.Warning, Message = "The bus to the other nodes was lost; it is opened again. Channels go on within this node.")]
    public static partial void BusLost(ILogger logger, Exception exception);

    /// <summary>Nodes can talk again.</summary>
    [LoggerMessage(EventId = 2111, Level = LogLevel.Information, Message = "The bus to the other nodes is back.")]
    public static partial void BusBack(ILogger logger);

    /// <summary>Another version, or another program on the channel.</summary>
    [LoggerMessage(EventId = 2112, Level = LogLevel.Warning, Message = "A message on the bus could not be read and was ignored.")]
    public static partial void BusGarbled(ILogger logger, Exception exception);

    /// <summary>Access to documents could not be checked again.</summary>
    [LoggerMessage(EventId = 2113, Level = LogLevel.Warning, Message = "Members of channels could not be checked again after the change feed was lost; it will be tried again.")]
    public static partial void RecheckFailed(ILogger logger, Exception exception);

    /// <summary>The log cannot be read, and the tables are.</summary>
    [LoggerMessage(EventId = 2104, Level = LogLevel.Warning, Message = "The change feed asks the tables, because {Reason}: live queries take some milliseconds longer and cost the database more.")]
    public static partial void FeedPolls(ILogger logger, string reason);

    /// <summary>The log cannot be read, and nothing else is allowed.</summary>
    [LoggerMessage(EventId = 2105, Level = LogLevel.Error, Message = "There are no live queries, because {Reason}; allow it, or let Vibe:Realtime:Feed be auto.")]
    public static partial void FeedImpossible(ILogger logger, string reason);
}
