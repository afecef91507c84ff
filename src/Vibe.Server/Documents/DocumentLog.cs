namespace Vibe.Server.Documents;

/// <summary>Log messages of the documents feature: event ids 2000 to 2099.</summary>
internal static partial class DocumentLog
{
    /// <summary>Background work failed and is tried again.</summary>
    [LoggerMessage(EventId = 2000, Level = LogLevel.Warning, Message = "Upkeep of documents failed at {Work}; it will be tried again.")]
    public static partial void UpkeepFailed(ILogger logger, string work, Exception exception);
}
