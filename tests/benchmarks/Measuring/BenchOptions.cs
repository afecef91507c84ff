using System.Reflection;

namespace Vibe.Benchmarks.Measuring;

/// <summary>How thorough a run is, and where things are.</summary>
internal sealed record BenchOptions
{
    /// <summary>A few minutes: one short round each.</summary>
    public bool IsQuick { get; init; }

    /// <summary>How often each pair is measured, one after the other and around again; the median counts.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>How long one measurement takes.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds(IsQuick ? 2 : 3);

    /// <summary>How long the same load runs before it is measured.</summary>
    public TimeSpan WarmUp => TimeSpan.FromSeconds(1);

    /// <summary>How long each contender runs before its first measurement, so that the runtime has compiled what it will.</summary>
    public TimeSpan Settle => TimeSpan.FromSeconds(IsQuick ? 4 : 12);

    /// <summary>The repository.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>This program.</summary>
    public static string Self => Assembly.GetExecutingAssembly().Location;

    /// <summary>The product.</summary>
    public static string Vibe => Path.Combine(Root, "src/Vibe.Server/bin/Release/net10.0/vibe.dll");

    /// <summary>A folder that the database's user can reach too; the caller deletes it.</summary>
    public static string NewFolder()
    {
        var folder = Directory.CreateTempSubdirectory("vibe-bench-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        }

        return folder;
    }

    /// <summary>The middle of some measurements.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Vibe.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The benchmarks run inside the repository.");
        }

        return folder;
    }
}
