using System.Globalization;

namespace Vibe.Postgres.Embedded;

/// <summary>
/// Exclusive ownership of a data directory for the life of this process: flock on a file that names the owner. The kernel lets go when the
/// process dies, however it dies.
/// </summary>
internal sealed class OwnerLock : IDisposable
{
    private readonly FileStream _file;

    private OwnerLock(FileStream file) => _file = file;

    /// <exception cref="EmbeddedClusterException">Another process holds it.</exception>
    public static OwnerLock Acquire(ClusterDirectory directory)
    {
        FileStream file;
        try
        {
            // On Unix FileShare.None is flock(LOCK_EX), and the descriptor is not inherited by the server.
            file = new(directory.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw StartFailure.From(directory.Lock, exception);
        }
        catch (IOException)
        {
            throw new EmbeddedClusterException(
                $"The data directory {directory.Root} is already in use by process {ReadOwner(directory.Lock)}: stop it, or choose another data directory.");
        }
        file.SetLength(0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        file.Flush();
        return new(file);
    }

    public void Dispose() => _file.Dispose();

    private static string ReadOwner(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(file);
            return reader.ReadToEnd() is { Length: > 0 } pid ? pid : "(unknown)";
        }
        catch (IOException)
        {
            return "(unknown)";
        }
    }
}
