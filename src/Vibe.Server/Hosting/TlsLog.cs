namespace Vibe.Server.Hosting;

/// <summary>Events 2320 to 2329.</summary>
internal static partial class TlsLog
{
    [LoggerMessage(2320, LogLevel.Information, "The TLS certificate was renewed from {File}; it is valid until {NotAfter}.")]
    public static partial void Renewed(ILogger logger, string file, DateTime notAfter);

    [LoggerMessage(2321, LogLevel.Warning, "The TLS certificate stays as it is, its files changed but cannot be used: {Reason}")]
    public static partial void NotRenewed(ILogger logger, string reason);
}
