using System.Runtime.CompilerServices;

namespace Vibe.Server.Tests.Architecture;

/// <summary>The sources, for tests about them.</summary>
internal static class Repository
{
    /// <summary>The folder with Vibe.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Hand-written C# below a folder: path from the root, and text.</summary>
    public static IEnumerable<(string Path, string Text)> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
                && !path.Contains("/Generated/", StringComparison.Ordinal))
            .Select(path => (path, File.ReadAllText(Path.Combine(Root, path))));

    private static string FindRoot([CallerFilePath] string here = "")
    {
        var directory = new DirectoryInfo(Path.GetDirectoryName(here)!);
        while (!File.Exists(Path.Combine(directory.FullName, "Vibe.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("The tests run outside their repository.");
        }

        return directory.FullName;
    }
}
