namespace Vibe.Postgres.Embedded;

/// <summary>Where the embedded PostgreSQL lives.</summary>
public sealed class EmbeddedClusterOptions
{
    /// <summary>Directory for the cluster, its log and its lock; made if missing. Nothing else should be kept in it.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Directory with <c>postgres</c> and <c>initdb</c>. Null: search the machine, and download a pinned build as the last resort.</summary>
    public string? BinDirectory { get; init; } = Environment.GetEnvironmentVariable("VIBE_POSTGRES_BIN") is { Length: > 0 } path ? path : null;

    /// <summary>Whether a pinned build may be downloaded when no installed server fits. Default true.</summary>
    public bool AllowDownload { get; init; } = true;

    /// <summary>Most connections the server accepts. Default 100.</summary>
    public int MaxConnections { get; init; } = 100;

    /// <summary>
    /// Whether data is forced to disk. Default true; only throw-away clusters of tests turn it off, since a crash of the machine then destroys all data.
    /// </summary>
    public bool Durable { get; init; } = true;

    /// <summary>How long the server may take to become ready, crash recovery included. Default 5 min.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How many times in a row a server that dies right after its start is started again before giving up. Default 6.</summary>
    public int MaxRestarts { get; init; } = 6;
}
