using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Vibe.Server.Hosting;

/// <summary>
/// A line for a person: time, level, category, event, message and exception; in a request its trace id, which errors show as their
/// <c>requestId</c>. Whatever a message holds, it stays one line.
/// </summary>
internal sealed class TextLogLines(TimeProvider time) : ConsoleFormatter(FormName)
{
    /// <summary>What the form is called inside.</summary>
    public const string FormName = "vibe-text";

    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var request = Activity.Current is { } activity ? $" (request {activity.TraceId})" : "";
        var exception = logEntry.Exception is { } thrown ? $" {thrown}" : "";
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.WriteLine(
            $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {NameOf(logEntry.LogLevel)}: {logEntry.Category}[{logEntry.EventId.Id}] {OneLine(message)}{request}{OneLine(exception)}");
    }

    private static string OneLine(string text) => string.Create(text.Length, text, static (line, text) =>
    {
        for (var at = 0; at < line.Length; at++)
        {
            line[at] = char.IsControl(text[at]) ? ' ' : text[at];
        }
    });

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}
