using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;

namespace Vibe.Server.Hosting;

/// <summary>Where log lines go.</summary>
internal static class Logs
{
    /// <summary>
    /// Standard error: one line each for a person, or JSON with <c>VIBE_LOG=json</c> for a machine. Warnings and worse;
    /// <c>Logging__LogLevel__Default=Information</c> shows more.
    /// </summary>
    public static void ConfigureLogging(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        // Its lines have the whole address, and a filter or a hint at who signs in is part of that. Last, so that no setting brings them back.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        builder.Logging.AddLines();
    }

    /// <summary>Writes lines to standard error, in the form that <c>VIBE_LOG</c> says.</summary>
    public static ILoggingBuilder AddLines(this ILoggingBuilder logging)
    {
        logging.Services.TryAddSingleton(TimeProvider.System);
        logging.Services.Configure<ConsoleLoggerOptions>(static options => options.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.AddConsoleFormatter<JsonLogLines, ConsoleFormatterOptions>();
        logging.AddConsoleFormatter<TextLogLines, ConsoleFormatterOptions>();
        var form = Environment.GetEnvironmentVariable("VIBE_LOG") == "json" ? JsonLogLines.FormName : TextLogLines.FormName;
        return logging.AddConsole(options => options.FormatterName = form);
    }
}
