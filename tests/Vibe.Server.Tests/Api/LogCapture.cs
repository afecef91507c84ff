using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Vibe.Server.Tests.Api;

/// <summary>Keeps every line a server logs, from the level on that the server's settings let through.</summary>
internal sealed class LogCapture : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    public IReadOnlyCollection<(LogLevel Level, string Text)> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _lines);

    public void Dispose()
    {
    }

    private sealed class Logger(string category, ConcurrentQueue<(LogLevel Level, string Text)> lines) : ILogger
    {
        // Scopes reach the log too: what they hold is part of what is logged.
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            lines.Enqueue((LogLevel.Trace, $"{category} scope: {state} {Fields(state)}"));
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue((logLevel, $"{category}: {formatter(state, exception)} {Fields(state)} {exception}"));

        private static string Fields<TState>(TState state) =>
            state is IEnumerable<KeyValuePair<string, object?>> fields ? string.Join(' ', fields.Select(static field => $"{field.Key}={field.Value}")) : "";
    }
}
