namespace Vibe.Server.Auth.Accounts;

/// <summary>Log messages of accounts: event ids 2600 to 2699. Never a secret, an address or a name.</summary>
internal static partial class AccountLog
{
    /// <summary>Background work failed and is tried again.</summary>
    [LoggerMessage(EventId = 2600, Level = LogLevel.Warning, Message = "Upkeep of accounts failed at {Work}; it will be tried again.")]
    public static partial void UpkeepFailed(ILogger logger, string work, Exception exception);

    /// <summary>A mail was not taken.</summary>
    [LoggerMessage(EventId = 2601, Level = LogLevel.Warning, Message = "A mail could not be sent at try {Attempt}: {Problem}.")]
    public static partial void MailFailed(ILogger logger, int attempt, string problem);

    /// <summary>More mails than can be sent.</summary>
    [LoggerMessage(EventId = 2602, Level = LogLevel.Warning, Message = "Too many mails wait to be sent; one was dropped.")]
    public static partial void MailDropped(ILogger logger);
}
