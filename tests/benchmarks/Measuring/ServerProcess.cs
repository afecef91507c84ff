using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Vibe.Benchmarks.Measuring;

/// <summary>A server or client under measurement: a process, its output, its use of the processor and of memory (Linux).</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    // Stands for the end of the output.
    private const string End = "\0";

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly SemaphoreSlim _arrived = new(0);
    private int _read;

    private ServerProcess(Process process) => _process = process;

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts a program. What it writes to standard error goes to ours.</summary>
    public static ServerProcess Start(string program, IEnumerable<string> arguments, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var server = new ServerProcess(Process.Start(start)!);
        server._process.OutputDataReceived += (_, line) =>
        {
            lock (server._lines)
            {
                server._lines.Add(line.Data ?? End);
            }

            server._arrived.Release();
        };
        server._process.BeginOutputReadLine();
        return server;
    }

    /// <summary>Starts this program again with other arguments, and waits until it is ready.</summary>
    public static async Task<ServerProcess> StartSelfAsync(params string[] arguments)
    {
        var server = Start("dotnet", [BenchOptions.Self, .. arguments]);
        await server.WaitForLineAsync("ready");
        return server;
    }

    /// <summary>Starts the product on a data directory, and waits until it is ready. No rate limit: one caller makes all the load.</summary>
    public static Task<ServerProcess> StartVibeAsync(int port, string data, params string[] more) => StartVibeAsync(port, data, more, []);

    /// <summary>The same, with settings of its own.</summary>
    public static async Task<ServerProcess> StartVibeAsync(int port, string data, string[] more, (string Name, string Value)[] settings)
    {
        var server = Start(
            "dotnet", [BenchOptions.Vibe, "serve", "--port", $"{port}", "--data", data, .. more],
            [("Vibe__Limits__UnitsPerSecond", "0"), ("Vibe__Limits__SignedOutUnitsPerSecond", "0"), .. settings]);
        await server.WaitForLineAsync("ready: ");
        return server;
    }

    /// <summary>Runs a program to its end and returns what it printed.</summary>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        await using var process = Start(program, arguments, environment);
        await process._process.WaitForExitAsync();
        var output = string.Join('\n', process._lines.Where(static line => line != End));
        return process._process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process._process.ExitCode}: {output}");
    }

    /// <summary>Waits for a line that starts so, and returns it.</summary>
    public async Task<string> WaitForLineAsync(string start)
    {
        while (await _arrived.WaitAsync(Patience))
        {
            string line;
            lock (_lines)
            {
                line = _lines[_read++];
            }

            if (line.StartsWith(start, StringComparison.Ordinal))
            {
                return line;
            }

            if (line == End)
            {
                break;
            }
        }

        throw new InvalidOperationException($"{_process.StartInfo.FileName} did not say \"{start}\".");
    }

    /// <summary>Processor time used so far.</summary>
    public TimeSpan Cpu => CpuOf(Id);

    /// <summary>Memory in use (resident set), in bytes.</summary>
    public long Memory => 1024 * long.Parse(
        File.ReadLines($"/proc/{Id}/status").First(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    /// <summary>Processor time of a process: utime and stime, which the kernel counts in hundredths of a second.</summary>
    public static TimeSpan CpuOf(int id) => TimeSpan.FromMilliseconds(10 * Stat(id)[11..13].Sum());

    /// <summary>The same of a process and all its children, those that have ended included.</summary>
    public static TimeSpan CpuOfFamily(int id)
    {
        var ticks = Stat(id)[11..15].Sum();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var child) && Stat(child) is [_, var parent, ..] stat && parent == id)
            {
                ticks += stat[11..13].Sum();
            }
        }

        return TimeSpan.FromMilliseconds(10 * ticks);
    }

    /// <summary>A port that nobody listens on.</summary>
    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>Asks the process to end, and waits until it has.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            // SIGTERM, which Process cannot send. The process may have ended just now: then there is nothing to kill, and no news.
            using var kill = Process.Start(new ProcessStartInfo("kill", $"{Id}") { RedirectStandardError = true, UseShellExecute = false })!;
            await kill.WaitForExitAsync();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        _arrived.Dispose();
    }

    // The numbers after the state of /proc/<pid>/stat; empty when the process is gone. Index 0 is the state (as 0), 1 the parent.
    private static long[] Stat(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            return [.. text[(text.LastIndexOf(')') + 2)..].Split(' ').Take(16)
                .Select(static word => long.TryParse(word, CultureInfo.InvariantCulture, out var number) ? number : 0)];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
