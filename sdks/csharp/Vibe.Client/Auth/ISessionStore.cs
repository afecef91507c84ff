namespace Vibe.Client;

/// <summary>Keeps a person's session between runs. What is kept signs in as that person: keep it as secret as a password.</summary>
public interface ISessionStore
{
    /// <summary>What was kept; null for nothing.</summary>
    /// <param name="cancellationToken">Cancels it.</param>
    ValueTask<byte[]?> LoadAsync(CancellationToken cancellationToken = default);

    /// <summary>Keeps a session in place of the one before.</summary>
    /// <param name="session">The session; null to forget it.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    ValueTask SaveAsync(byte[]? session, CancellationToken cancellationToken = default);
}

/// <summary>Keeps a session while the program runs.</summary>
public sealed class MemorySessionStore : ISessionStore
{
    private volatile byte[]? _session;

    /// <inheritdoc/>
    public ValueTask<byte[]?> LoadAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(_session);

    /// <inheritdoc/>
    public ValueTask SaveAsync(byte[]? session, CancellationToken cancellationToken = default)
    {
        _session = session;
        return ValueTask.CompletedTask;
    }
}

/// <summary>Keeps a session in a file that only its user can read. For one program at a time.</summary>
/// <param name="path">The file; its folder is made when there is none.</param>
public sealed class FileSessionStore(string path) : ISessionStore
{
    private const UnixFileMode OnlyOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <inheritdoc/>
    public async ValueTask<byte[]?> LoadAsync(CancellationToken cancellationToken = default) =>
        File.Exists(path) ? await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false) : null;

    /// <inheritdoc/>
    public async ValueTask SaveAsync(byte[]? session, CancellationToken cancellationToken = default)
    {
        if (session is null)
        {
            File.Delete(path);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var fresh = $"{path}.{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OnlyOwner;
        }

        var file = new FileStream(fresh, options);
        await using (file.ConfigureAwait(false))
        {
            await file.WriteAsync(session, cancellationToken).ConfigureAwait(false);
        }

        // Whole or not at all: half a session is a lost one.
        File.Move(fresh, path, overwrite: true);
    }
}
