namespace Vibe.Postgres.Embedded;

/// <summary>Makes a new cluster, and before every start puts the rules of who may connect in place.</summary>
internal sealed class ClusterInitializer(EmbeddedClusterOptions options, ClusterDirectory directory, ServerUser user, PostgresBinaries binaries)
{
    /// <summary>The superuser that initdb makes.</summary>
    public const string Superuser = "vibe_admin";

    private const long LeastFreeBytes = 200L * 1024 * 1024;

    /// <summary>Runs initdb unless the cluster is there. An interrupted run leaves nothing behind that counts.</summary>
    /// <exception cref="EmbeddedClusterException">The directory cannot be reached or initdb failed.</exception>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await RefuseUnreachableAsync(cancellationToken);
        try
        {
            if (directory.DataVersion is null)
            {
                await InitializeAsync(cancellationToken);
            }
            WriteAccessRules(directory.Cluster);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StartFailure.From(directory.Root, exception);
        }
    }

    private async Task InitializeAsync(CancellationToken cancellationToken)
    {
        if (Directory.Exists(directory.Cluster) && Directory.EnumerateFileSystemEntries(directory.Cluster).Any())
        {
            throw new EmbeddedClusterException(
                $"{directory.Cluster} holds files but no PostgreSQL data: choose another data directory, or move them away.");
        }
        if (new DriveInfo(directory.Root).AvailableFreeSpace < LeastFreeBytes)
        {
            throw new EmbeddedClusterException($"The disk that holds {directory.Root} is full: free at least 200 MB and start again.");
        }
        if (Directory.Exists(directory.Unfinished))
        {
            Directory.Delete(directory.Unfinished, recursive: true);
        }
        Directory.CreateDirectory(directory.Unfinished);
        if (user.Switched)
        {
            PosixCalls.ChangeOwner(directory.Unfinished, user);
        }

        var result = await Command.RunAsync([.. user.SwitchCommand, .. InitDb()], cancellationToken);
        if (!result.Succeeded)
        {
            throw StartFailure.From("initdb", result.Output, directory);
        }
        Directory.Move(directory.Unfinished, directory.Cluster);
    }

    // One collation everywhere: byte order, as the leakproof comparisons and keyset pages expect, with Unicode upper and lower case.
    private IEnumerable<string> InitDb() =>
    [
        binaries.InitDb, "-D", directory.Unfinished, "-U", Superuser, "-A", "peer", "--encoding=UTF8", "--data-checksums", "--no-instructions",
        .. options.Durable ? (string[])[] : ["--no-sync"],
        .. binaries.Major >= 17 ? (string[])["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            : OperatingSystem.IsMacOS() ? ["--lc-collate=C", "--lc-ctype=en_US.UTF-8"]
            : ["--locale=C.UTF-8"],
    ];

    // The kernel vouches for who is at the other end of the socket: no password to keep, and a process of any other user is refused even if it
    // reaches the socket. Only the user of this process may be one of our roles, not even the user the server runs as.
    private static void WriteAccessRules(string cluster)
    {
        WriteIfChanged(Path.Combine(cluster, "pg_hba.conf"), "local all all peer map=vibe\nlocal replication all peer map=vibe\n");
        WriteIfChanged(
            Path.Combine(cluster, "pg_ident.conf"),
            $"vibe \"{Environment.UserName}\" {Superuser}\nvibe \"{Environment.UserName}\" {Sessions.Roles.App}\n");
    }

    private static void WriteIfChanged(string path, string content)
    {
        if (File.ReadAllText(path) != content)
        {
            File.WriteAllText(path, content);
        }
    }

    private async Task RefuseUnreachableAsync(CancellationToken cancellationToken)
    {
        if (!user.Switched)
        {
            return;
        }
        foreach (var (path, wayOut) in ((string, string)[])
            [
                (directory.Root, "choose a data directory elsewhere"),
                (binaries.Server, "set VIBE_POSTGRES_BIN to an installation elsewhere"),
            ])
        {
            if (!(await Command.RunAsync([.. user.SwitchCommand, "test", "-x", path], cancellationToken)).Succeeded)
            {
                throw new EmbeddedClusterException(
                    $"PostgreSQL does not run as root but as user {user.Name}, who cannot reach {path} because {await BlockingFolderAsync(path, cancellationToken)} is closed to others: {wayOut}, or run Vibe as an ordinary user.");
            }
        }
    }

    private async Task<string> BlockingFolderAsync(string path, CancellationToken cancellationToken)
    {
        var blocking = path;
        for (var folder = Path.GetDirectoryName(path); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (!(await Command.RunAsync([.. user.SwitchCommand, "test", "-x", folder], cancellationToken)).Succeeded)
            {
                blocking = folder;
            }
        }
        return blocking;
    }
}
