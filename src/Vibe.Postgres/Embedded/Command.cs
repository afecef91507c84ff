using System.ComponentModel;
using System.Diagnostics;

namespace Vibe.Postgres.Embedded;

/// <summary>Runs a short-lived program to its end.</summary>
internal static class Command
{
    /// <param name="ExitCode">127 when the program does not exist.</param>
    /// <param name="Output">Standard output and error, in this order.</param>
    public sealed record Result(int ExitCode, string Output)
    {
        public bool Succeeded => ExitCode == 0;
    }

    public static async Task<Result> RunAsync(IEnumerable<string> words, CancellationToken cancellationToken)
    {
        var line = words.ToArray();
        var start = StartInfo(line[0], line[1..]);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await process.WaitForExitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
            return new(process.ExitCode, await output + await error);
        }
        catch (Win32Exception missing)
        {
            return new(127, missing.Message);
        }
    }

    /// <summary>A start with a plain environment: no PG… variable of the caller may redirect the server, and messages are English.</summary>
    public static ProcessStartInfo StartInfo(string file, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var name in start.Environment.Keys.Where(static name => name.StartsWith("PG", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }
        start.Environment["LC_ALL"] = "C";
        return start;
    }
}
