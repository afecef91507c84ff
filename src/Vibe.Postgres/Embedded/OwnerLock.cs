using System.Globalization;

namespace Vibe.Postgres.Embedded;

/// <summary>
/// Exclusive ownership of a data directory for the life of this process: flock on a file, and another that names the owner. The kernel lets go when the
/// process dies, however it dies.
/// </summary>
internal sealed class OwnerLock : IDisposable
{
    // An owner that was killed a moment ago may still be on its way out.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(20);

    private readonly FileStream _file;

    private OwnerLock(FileStream file) => _file = file;

    /// <exception cref="EmbeddedClusterException">Another process holds it.</exception>
    public static async Task<OwnerLock> AcquireAsync(ClusterDirectory directory, TimeProvider time, CancellationToken cancellationToken)
    {
        FileStream? file;
        for (var started = time.GetTimestamp(); (file = TryOpen(directory)) is null; await Task.Delay(RetryInterval, time, cancellationToken))
        {
            if (time.GetElapsedTime(started) > Patience)
            {
                throw new EmbeddedClusterException(
                    $"The data directory {directory.Root} is already in use by process {ReadOwner(directory.Owner)}: stop it, or choose another data directory.");
            }
        }
        try
        {
            // Not in the locked file: the runtime takes a shared lock even for reading, so nobody could read it.
            File.WriteAllText(directory.Owner, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            file.Dispose();
            throw StartFailure.From(directory.Owner, exception);
        }
        return new(file);
    }

    private static FileStream? TryOpen(ClusterDirectory directory)
    {
        try
        {
            // On Unix FileShare.None is flock(LOCK_EX), and the descriptor is not inherited by the server.
            return new(directory.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw StartFailure.From(directory.Lock, exception);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _file.Dispose();

    private static string ReadOwner(string path)
    {
        try
        {
            return File.ReadAllText(path) is { Length: > 0 } pid ? pid : "(unknown)";
        }
        catch (IOException)
        {
            return "(unknown)";
        }
    }
}
