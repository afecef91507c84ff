using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Vibe.Postgres.Migrations;

/// <summary>One numbered step of the schema, from an embedded resource <c>….NNNN_name.sql</c>.</summary>
/// <param name="Number">Its place in the order; unique over all assemblies. 1 to 99 belong to this project.</param>
/// <param name="Name">What it does, in the file's name.</param>
/// <param name="Script">The SQL, run by <c>vibe_owner</c> in one transaction.</param>
/// <param name="Checksum">SHA-256 of the script with LF line ends, hexadecimal.</param>
public sealed partial record Migration(int Number, string Name, string Script, string Checksum)
{
    /// <summary>As in the file's name, for messages.</summary>
    public string FileName => $"{Number.ToString("D4", CultureInfo.InvariantCulture)}_{Name}.sql";

    /// <summary>The migrations embedded in <paramref name="assemblies"/> and in this one, in order.</summary>
    /// <exception cref="MigrationException">Two have the same number, or a resource in a Migrations folder has no number.</exception>
    public static IReadOnlyList<Migration> Load(params IEnumerable<Assembly> assemblies)
    {
        var byNumber = new SortedDictionary<int, Migration>();
        foreach (var assembly in assemblies.Append(typeof(Migration).Assembly).Distinct())
        {
            foreach (var resource in assembly.GetManifestResourceNames().Where(IsMigration))
            {
                var migration = Read(assembly, resource);
                if (!byNumber.TryAdd(migration.Number, migration))
                {
                    throw new MigrationException($"{migration.FileName} and {byNumber[migration.Number].FileName} have the same number.");
                }
            }
        }
        return [.. byNumber.Values];
    }

    private static bool IsMigration(string resource) =>
        resource.Contains(".Migrations.", StringComparison.Ordinal) && resource.EndsWith(".sql", StringComparison.Ordinal);

    private static Migration Read(Assembly assembly, string resource)
    {
        var match = ResourceName().Match(resource);
        if (!match.Success)
        {
            throw new MigrationException($"{resource} is not named like a migration: 0100_what_it_does.sql.");
        }
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
        var script = reader.ReadToEnd().ReplaceLineEndings("\n");
        return new(
            int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture),
            match.Groups["name"].Value,
            script,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(script))));
    }

    [GeneratedRegex(@"\.(?<number>[0-9]{4})_(?<name>[a-z0-9_]+)\.sql$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex ResourceName();
}
