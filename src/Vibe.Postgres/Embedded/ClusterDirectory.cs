using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Vibe.Postgres.Embedded;

/// <summary>The files of an embedded cluster: <c>cluster/</c> (the server's own), <c>run/</c> (its socket), <c>postgres.log</c>, <c>vibe.lock</c>, <c>vibe.pid</c>.</summary>
internal sealed class ClusterDirectory
{
    // sockaddr_un holds 108 bytes with the final zero; the server appends "/.s.PGSQL.5432".
    private const int MaxSocketDirectoryBytes = 107 - 14;
    // Characters with a meaning in a list of socket directories or of hosts.
    private static readonly SearchValues<char> Unfit = SearchValues.Create(",:;=\"'\\@");

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public ClusterDirectory(string path)
    {
        Root = Path.GetFullPath(path);
        Cluster = Path.Combine(Root, "cluster");
        Unfinished = Path.Combine(Root, "cluster.new");
        Log = Path.Combine(Root, "postgres.log");
        Lock = Path.Combine(Root, "vibe.lock");
        Owner = Path.Combine(Root, "vibe.pid");
        SocketIsOutside = !Fits(Path.Combine(Root, "run"));
        Socket = SocketIsOutside ? ShortSocketDirectory(Root) : Path.Combine(Root, "run");
    }

    public string Root { get; }

    /// <summary>The server's data directory.</summary>
    public string Cluster { get; }

    /// <summary>Where initdb works, so that an interrupted one is never mistaken for a cluster.</summary>
    public string Unfinished { get; }

    public string Log { get; }

    public string Lock { get; }

    /// <summary>Names the process that holds the lock.</summary>
    public string Owner { get; }

    /// <summary>Directory of the server's socket.</summary>
    public string Socket { get; }

    /// <summary>Whether the socket had to move to a temporary directory, because its path would be too long or hold a list separator.</summary>
    public bool SocketIsOutside { get; }

    /// <summary>Major version of the data, or null before initdb.</summary>
    public int? DataVersion =>
        File.Exists(Path.Combine(Cluster, "PG_VERSION"))
        && int.TryParse(File.ReadAllText(Path.Combine(Cluster, "PG_VERSION")).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : null;

    /// <summary>Makes the root directory and proves that it can be written to.</summary>
    /// <exception cref="EmbeddedClusterException">It cannot.</exception>
    public void Create(ServerUser user)
    {
        try
        {
            if (!Directory.Exists(Root))
            {
                Directory.CreateDirectory(Root);
                // The server's user must pass through to what belongs to it, and sees nothing else.
                File.SetUnixFileMode(Root, user.Switched ? Private | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : Private);
            }
            var probe = Path.Combine(Root, ".write-probe");
            File.WriteAllText(probe, "probe");
            File.Delete(probe);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StartFailure.From(Root, exception);
        }
    }

    /// <summary>Makes the socket directory, private to the server's user.</summary>
    /// <exception cref="EmbeddedClusterException">It exists and is someone else's.</exception>
    public void CreateSocketDirectory(ServerUser user)
    {
        try
        {
            var existed = Directory.Exists(Socket);
            Directory.CreateDirectory(Socket, Private);
            if (SocketIsOutside && existed && (new DirectoryInfo(Socket).LinkTarget is not null || File.GetUnixFileMode(Socket) != Private))
            {
                // In a directory everybody may write to, someone else could have made it first.
                throw new EmbeddedClusterException($"{Socket} exists and is not private: remove it.");
            }
            if (user.Switched)
            {
                PosixCalls.ChangeOwner(Socket, user);
            }
            File.SetUnixFileMode(Socket, Private);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StartFailure.From(Socket, exception);
        }
    }

    /// <summary>Removes a socket directory that is outside of the data directory.</summary>
    public void RemoveSocketDirectory()
    {
        try
        {
            if (SocketIsOutside && Directory.Exists(Socket))
            {
                Directory.Delete(Socket, recursive: true);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // An empty directory under /tmp is left behind.
        }
    }

    private static bool Fits(string path) =>
        Encoding.UTF8.GetByteCount(path) <= MaxSocketDirectoryBytes && path.AsSpan().IndexOfAny(Unfit) < 0;

    private static string ShortSocketDirectory(string root)
    {
        var name = "vibe-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root)))[..16];
        // Root's runtime directory is closed to the user the server runs as.
        var runtime = PosixCalls.GetEffectiveUser() == 0 ? null : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        return runtime is { Length: > 0 } && Directory.Exists(runtime) && Fits(Path.Combine(runtime, name))
            ? Path.Combine(runtime, name)
            : Path.Combine("/tmp", name);
    }
}
