namespace Vibe.Server.Hosting;

/// <summary>
/// Secrets that containers hand over as files: each of these settings may be given as a file's name under its own name with
/// <c>_FILE</c> behind it. An environment shows in process lists and crash reports, a file does not.
/// </summary>
internal static class SecretFiles
{
    private const string Suffix = "_FILE";

    // PGPASSWORD is what PostgreSQL's own programs and drivers take for a connection string without a password.
    private static readonly string[] Names =
        ["VIBE_MASTER_KEY", "ConnectionStrings__Vibe", "ConnectionStrings__VibeApp", "PGPASSWORD", "VIBE_METRICS_TOKEN", "Vibe__Mail__Password"];

    /// <summary>Reads them into the settings of this process.</summary>
    /// <exception cref="Refusal">A file cannot be read, or a setting is given twice.</exception>
    public static void Load()
    {
        foreach (var name in Names)
        {
            if (Environment.GetEnvironmentVariable(name + Suffix) is not { Length: > 0 } file)
            {
                continue;
            }

            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 })
            {
                throw new Refusal($"{name} and {name}{Suffix} are both set: keep one of them.");
            }

            Environment.SetEnvironmentVariable(name, Read(name, file));
        }
    }

    private static string Read(string name, string file)
    {
        try
        {
            return File.ReadAllText(file).TrimEnd('\r', '\n') is { Length: > 0 } secret ? secret : throw new Refusal($"{file}, which {name}{Suffix} names, is empty.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new Refusal($"{file}, which {name}{Suffix} names, is not there or cannot be read by the server's user.");
        }
    }
}
