using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Vibe.Postgres.Embedded;

/// <summary>The server's settings, all given on its command line: what is in the data directory cannot weaken them.</summary>
internal static class ServerSettings
{
    private const long Megabyte = 1024 * 1024;

    /// <summary>Command-line words, starting with the program. A fingerprint of them is the cluster's name, by which an orphan is recognised.</summary>
    public static IReadOnlyList<string> CommandLine(PostgresBinaries binaries, ClusterDirectory directory, EmbeddedClusterOptions options, out string clusterName)
    {
        var words = new List<string> { binaries.Server, "-D", directory.Cluster };
        foreach (var (name, value) in All(directory, options))
        {
            words.Add("-c");
            words.Add($"{name}={value}");
        }
        var fingerprint = SHA256.HashData(Encoding.UTF8.GetBytes(binaries.Version + "\n" + string.Join('\n', words)));
        clusterName = "vibe-" + Convert.ToHexStringLower(fingerprint)[..16];
        words.AddRange(["-c", $"cluster_name={clusterName}"]);
        return words;
    }

    private static IEnumerable<(string Name, string Value)> All(ClusterDirectory directory, EmbeddedClusterOptions options)
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

        // Reached through the private socket only.
        yield return ("listen_addresses", "");
        yield return ("unix_socket_directories", directory.Socket);
        yield return ("unix_socket_permissions", "0700");
        yield return ("port", "5432");
        yield return ("max_connections", Text(options.MaxConnections));

        // The change feed decodes the log. A slot that nobody reads may not fill the disk.
        yield return ("wal_level", "logical");
        yield return ("max_wal_senders", "10");
        yield return ("max_replication_slots", "10");
        yield return ("max_slot_wal_keep_size", "1GB");
        yield return ("max_wal_size", "2GB");
        yield return ("wal_compression", "on");
        yield return ("fsync", options.Durable ? "on" : "off");
        yield return ("full_page_writes", "on");

        // An eighth: the application, its runtime and the page cache share this machine.
        yield return ("shared_buffers", Megabytes(memory / 8, 32, 4096));
        yield return ("effective_cache_size", Megabytes(memory / 2, 128, 1024 * 1024));
        yield return ("maintenance_work_mem", Megabytes(memory / 16, 32, 1024));
        yield return ("work_mem", Megabytes(memory / 512, 4, 64));
        yield return ("random_page_cost", "1.1");

        // Point reads and short lists: compiling costs more than it saves, and parallel workers need more /dev/shm than containers have.
        yield return ("jit", "off");
        yield return ("max_parallel_workers_per_gather", "0");

        yield return ("timezone", "UTC");
        yield return ("log_timezone", "UTC");
        yield return ("log_line_prefix", "%m [%p] %q%u ");
        yield return ("log_checkpoints", "off");
        // Statements carry personal data: the log gets their errors, not their text.
        yield return ("log_min_error_statement", "panic");
        yield return ("log_error_verbosity", "terse");
        yield return ("logging_collector", "off");
    }

    private static string Megabytes(long bytes, long least, long most) => $"{Text(Math.Clamp(bytes / Megabyte, least, most))}MB";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
