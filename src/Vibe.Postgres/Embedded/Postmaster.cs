using System.ComponentModel;
using System.Diagnostics;

namespace Vibe.Postgres.Embedded;

/// <summary>A running server process: our child, or one that an earlier supervisor left behind.</summary>
internal sealed class Postmaster
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FastStop = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ImmediateStop = TimeSpan.FromSeconds(10);

    // $0 is the log. Appending keeps working when the log is emptied under it.
    private const string RedirectToLog = "umask 077; exec \"$@\" >>\"$0\" 2>&1 </dev/null";

    private readonly TimeProvider _time;

    private Postmaster(int pid, Task exited, TimeProvider time)
    {
        Pid = pid;
        Exited = exited;
        _time = time;
    }

    public int Pid { get; }

    /// <summary>Completes when the process has ended, for whatever reason.</summary>
    public Task Exited { get; }

    /// <summary>Starts a server as our child.</summary>
    /// <param name="words">Wrappers and the server's command line.</param>
    /// <param name="log">Where its output goes.</param>
    /// <param name="time">For bounded waits.</param>
    public static async Task<Postmaster> SpawnAsync(IEnumerable<string> words, ServerLog log, TimeProvider time)
    {
        var start = Command.StartInfo("/bin/sh", ["-c", RedirectToLog, log.FilePath, .. words]);
        var started = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // The kernel sends the parent-death signal when the thread that forked ends, so that thread must live as long as the server:
        // a pool thread would take the server down with it.
        var thread = new Thread(() =>
        {
            try
            {
                using var process = Process.Start(start)!;
                started.SetResult(process.Id);
                process.WaitForExit();
                exited.SetResult();
            }
            catch (Exception exception) when (exception is Win32Exception or InvalidOperationException)
            {
                started.TrySetException(exception);
                exited.TrySetResult();
            }
        })
        {
            IsBackground = true,
            Name = "postgres",
        };
        thread.Start();
        return new(await started.Task, exited.Task, time);
    }

    /// <summary>Takes charge of a server that is not our child.</summary>
    public static Postmaster Adopt(int pid, TimeProvider time) => new(pid, PollUntilGoneAsync(pid, time), time);

    /// <summary>Fast shutdown: sessions are ended, everything is on disk. Harsher means only when it takes unreasonably long.</summary>
    public async Task StopAsync()
    {
        foreach (var (signal, patience) in ((int, TimeSpan)[])[(PosixCalls.SigInt, FastStop), (PosixCalls.SigQuit, ImmediateStop), (PosixCalls.SigKill, ImmediateStop)])
        {
            PosixCalls.Signal(Pid, signal);
            if (await ExitedWithinAsync(patience))
            {
                return;
            }
        }
    }

    private async Task<bool> ExitedWithinAsync(TimeSpan patience)
    {
        try
        {
            await Exited.WaitAsync(patience, _time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static async Task PollUntilGoneAsync(int pid, TimeProvider time)
    {
        while (PostmasterFile.IsAlive(pid))
        {
            await Task.Delay(PollInterval, time, CancellationToken.None);
        }
    }
}
