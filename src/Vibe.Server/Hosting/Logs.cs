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
        if (Environment.GetEnvironmentVariable("VIBE_LOG") == "json")
        {
            builder.Logging.AddJsonConsole(options => options.UseUtcTimestamp = true);
        }
        else
        {
            builder.Logging.AddSimpleConsole(options => options.SingleLine = true);
        }

        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            options => options.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
