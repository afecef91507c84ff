using System.Runtime.InteropServices;

namespace Vibe.Postgres.Embedded;

/// <summary>The few system calls the runtime has no API for.</summary>
internal static partial class PosixCalls
{
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;

    private const int NoSuchProcess = 3;

    /// <summary>The user this process acts as; 0 is root.</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint GetEffectiveUser();

    /// <summary>Whether a process with this id exists, zombies included, whoever owns it.</summary>
    public static bool ProcessExists(int pid) => Kill(pid, 0) == 0 || Marshal.GetLastPInvokeError() != NoSuchProcess;

    /// <summary>Sends a signal; false when the process is gone or belongs to someone else.</summary>
    public static bool Signal(int pid, int signal) => Kill(pid, signal) == 0;

    /// <summary>Gives a file or directory to a user.</summary>
    /// <exception cref="IOException">Not allowed, or not there.</exception>
    public static void ChangeOwner(string path, ServerUser user)
    {
        if (Chown(path, user.Id, user.GroupId) != 0)
        {
            throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint owner, uint group);
}
