namespace Vibe.Server.Auth.Tokens;

/// <summary>What is logged of keys and tokens: events 2500 to 2599. Never a token, never a key.</summary>
internal static partial class TokensLog
{
    [LoggerMessage(2500, LogLevel.Warning, "The signing keys could not be read or rotated; the known ones stay in use.")]
    public static partial void KeysUnread(ILogger log, Exception exception);

    [LoggerMessage(2501, LogLevel.Information, "A new {Algorithm} key signs from now on.")]
    public static partial void KeyRotated(ILogger log, string algorithm);
}
