namespace Vibe.Server.Auth;

/// <summary>Log messages of the auth feature: event ids 2200 to 2299.</summary>
internal static partial class AuthLog
{
    /// <summary>The database does not tell what was revoked.</summary>
    [LoggerMessage(EventId = 2200, Level = LogLevel.Warning, Message = "Revocations cannot be read; those that are known stay in force, and it is tried again.")]
    public static partial void RevocationsUnread(ILogger logger, Exception exception);

    /// <summary>It does again.</summary>
    [LoggerMessage(EventId = 2201, Level = LogLevel.Information, Message = "Revocations are read again.")]
    public static partial void RevocationsReadAgain(ILogger logger);
}
