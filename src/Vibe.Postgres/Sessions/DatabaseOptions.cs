namespace Vibe.Postgres.Sessions;

/// <summary>Where the database is and how much of it this process may use.</summary>
public sealed class DatabaseOptions
{
    /// <summary>
    /// Npgsql connection string of the login that migrates: the embedded cluster's superuser, or on a managed server an admin who may create roles
    /// and owns the database.
    /// </summary>
    public required string ConnectionString { get; init; }

    /// <summary>
    /// Npgsql connection string for requests: <c>vibe_app</c> itself or a login that was granted it. Null: the login of
    /// <see cref="ConnectionString"/>, switched to <c>vibe_app</c> when the connection starts.
    /// </summary>
    public string? AppConnectionString { get; init; }

    /// <summary>Most connections that reading requests use at once, and as many again for writing ones; further requests wait. Default 32.</summary>
    public int MaxRequestConnections { get; init; } = 32;

    /// <summary>Most connections that background work uses at once. Default 8.</summary>
    public int MaxOwnerConnections { get; init; } = 8;

    /// <summary>How long one statement of a request may run. Default 15 s.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long one statement of a request may wait for a lock. Default 5 s.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a request's transaction may sit idle. A transaction that wrote and lingers makes every change-feed catch-up rescan what is newer
    /// than it. Default 10 s.
    /// </summary>
    public TimeSpan IdleInTransactionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long to keep trying to connect while the server is starting or recovering. Nothing has been sent by then, so this is safe for writes too.
    /// Default 3 s; zero fails at once.
    /// </summary>
    public TimeSpan ConnectRetry { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long to wait for a free pooled connection or for the server to accept one. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
