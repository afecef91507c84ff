using System.Data;
using System.Globalization;
using Npgsql;
using Vibe.Postgres.Notifications;
using Vibe.Postgres.Replication;

namespace Vibe.Postgres.Sessions;

/// <summary>
/// The database of this process. Requests get sessions that carry their <see cref="RequestContext"/> and run as <c>vibe_app</c>, a role under
/// row-level security; background work uses <see cref="Owner"/>. Thread-safe; one per process.
/// </summary>
public sealed class Database : IAsyncDisposable
{
    /// <summary>Opens no connection yet; the roles come from the migrator's bootstrap.</summary>
    /// <exception cref="ArgumentException">A connection string cannot be parsed.</exception>
    public Database(DatabaseOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        // Reads have connections that start read-only: saying so in every request would cost 10 % of a point read.
        Reads = new(RequestSource(options, Access.Read), options.ConnectRetry, time);
        Writes = new(RequestSource(options, Access.Write), options.ConnectRetry, time);
        Owner = new(new(ServiceSource(options, "vibe-owner", options.MaxOwnerConnections, Roles.Owner), options.ConnectRetry, time));
        Admin = new(new(ServiceSource(options, "vibe-admin", 4, role: null), options.ConnectRetry, time));
    }

    /// <summary>Sessions as <c>vibe_owner</c>, which owns the tables but is no superuser: row-level security is forced on it where a table says so.</summary>
    public ServiceSessions Owner { get; }

    /// <summary>Sessions of the migrating login as it is. On the embedded cluster that is the superuser; elsewhere perhaps only an owner.</summary>
    public ServiceSessions Admin { get; }

    internal DatabaseOptions Options { get; }

    internal ConnectionPool Reads { get; }

    internal ConnectionPool Writes { get; }

    /// <summary>The change feed of a publication, read as the migrating login.</summary>
    public ReplicationFeed CreateFeed(string publication) => new(Options, publication);

    /// <summary>What processes on this database tell each other, as the migrating login.</summary>
    public NotificationChannel CreateNotificationChannel(string name) => new(Options, name);

    /// <summary>A connection of its own as <c>vibe_owner</c>, beside the pools.</summary>
    /// <param name="name">How <c>pg_stat_activity</c> shows it.</param>
    /// <param name="cancellationToken">Stops connecting.</param>
    /// <exception cref="DatabaseException">No connection.</exception>
    public Task<HeldSession> OpenSessionAsync(string name, CancellationToken cancellationToken)
    {
        var settings = ServiceSettings(Options, name, connections: 1, Roles.Owner);
        settings.Pooling = false;
        // Whoever holds a session uses it often: a server that does not answer must not go unnoticed.
        settings.CommandTimeout = 30;
        return HeldSession.OpenAsync(settings.ConnectionString, cancellationToken);
    }

    /// <summary>A batch on behalf of <paramref name="context"/>.</summary>
    public Batch CreateBatch(RequestContext context, Access access)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(new PooledRunner(Pool(access), context.ToStatement(), access));
    }

    /// <summary>Runs one reading statement on behalf of <paramref name="context"/> and reads its rows.</summary>
    /// <exception cref="DatabaseException">The statement failed.</exception>
    public Task<IReadOnlyList<T>> QueryAsync<T>(RequestContext context, Sql sql, Func<Row, T> read, CancellationToken cancellationToken) =>
        CreateBatch(context, Access.Read).RunQueryAsync(sql, read, budget: null, cancellationToken);

    /// <summary>The same, with no more rows than <paramref name="budget"/> allows.</summary>
    /// <exception cref="DatabaseException">The statement failed.</exception>
    public Task<IReadOnlyList<T>> QueryAsync<T>(
        RequestContext context, Sql sql, Func<Row, T> read, RowBudget<T>? budget, CancellationToken cancellationToken) =>
        CreateBatch(context, Access.Read).RunQueryAsync(sql, read, budget, cancellationToken);

    /// <summary>Runs one reading statement on behalf of <paramref name="context"/> and reads its first row; null (default) when there is none.</summary>
    /// <exception cref="DatabaseException">The statement failed.</exception>
    public Task<T?> QueryFirstAsync<T>(RequestContext context, Sql sql, Func<Row, T> read, CancellationToken cancellationToken) =>
        CreateBatch(context, Access.Read).RunQueryFirstAsync(sql, read, cancellationToken);

    /// <summary>Runs one writing statement on behalf of <paramref name="context"/>; returns the number of rows affected.</summary>
    /// <exception cref="DatabaseException">The statement failed.</exception>
    public Task<long> ExecuteAsync(RequestContext context, Sql sql, CancellationToken cancellationToken) =>
        CreateBatch(context, Access.Write).RunExecuteAsync(sql, cancellationToken);

    /// <summary>Starts a transaction of several round trips on behalf of <paramref name="context"/>.</summary>
    /// <exception cref="DatabaseException">No connection.</exception>
    public ValueTask<Transaction> BeginAsync(
        RequestContext context, Access access, IsolationLevel isolation, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Transaction.BeginAsync(Pool(access), context.ToStatement(), isolation, cancellationToken);
    }

    /// <summary>Closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await Reads.DisposeAsync();
        await Writes.DisposeAsync();
        await Owner.Pool.DisposeAsync();
        await Admin.Pool.DisposeAsync();
    }

    private ConnectionPool Pool(Access access) => access == Access.Read ? Reads : Writes;

    private static NpgsqlDataSource RequestSource(DatabaseOptions options, Access access)
    {
        var settings = new NpgsqlConnectionStringBuilder(options.AppConnectionString ?? options.ConnectionString);
        AddServerSettings(settings,
            ("role", Roles.App),
            ("default_transaction_read_only", access == Access.Read ? "on" : "off"),
            ("statement_timeout", Milliseconds(options.StatementTimeout)),
            ("lock_timeout", Milliseconds(options.LockTimeout)),
            ("idle_in_transaction_session_timeout", Milliseconds(options.IdleInTransactionTimeout)));
        if (access == Access.Read)
        {
            // Lists are written so that an index gives the page in order and the reading stops. What an estimate (policies and
            // bodies give it little to go by) may put in the place of that reads everything first.
            AddServerSettings(settings, ("enable_seqscan", "off"), ("enable_bitmapscan", "off"), ("jit", "off"));
        }
        ApplyCommon(settings, options, "vibe", options.MaxRequestConnections);
        // Nothing here uses session state: the context is local to its transaction. The reset would cost 40 % of a point read.
        settings.NoResetOnClose = true;
        settings.MaxAutoPrepare = 250;
        settings.AutoPrepareMinUsages = 2;
        // The server's own limit answers first; this one notices a server that no longer answers at all.
        settings.CommandTimeout = (int)Math.Ceiling(options.StatementTimeout.TotalSeconds) + 5;
        return Source(settings, access == Access.Read ? "vibe-read" : "vibe-write");
    }

    private static NpgsqlDataSource ServiceSource(DatabaseOptions options, string name, int connections, string? role) =>
        Source(ServiceSettings(options, name, connections, role), name);

    // The name is what metrics call the pool; without one they would show the connection string.
    private static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder settings, string name) =>
        new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = name }.Build();

    private static NpgsqlConnectionStringBuilder ServiceSettings(DatabaseOptions options, string name, int connections, string? role)
    {
        var settings = new NpgsqlConnectionStringBuilder(options.ConnectionString);
        if (role is not null)
        {
            AddServerSettings(settings, ("role", role));

            // What is asked again and again (sessions, grants, refresh tokens) joins several tables: planning each time takes
            // longer than running. The migrating login changes tables and stays without.
            settings.MaxAutoPrepare = 100;

            // No session state here either.
            settings.NoResetOnClose = true;
        }
        ApplyCommon(settings, options, name, connections);
        // Index builds and migrations take as long as they take.
        settings.CommandTimeout = 0;
        return settings;
    }

    private static void ApplyCommon(NpgsqlConnectionStringBuilder settings, DatabaseOptions options, string name, int connections)
    {
        settings.ApplicationName = name;
        settings.MaxPoolSize = connections;
        settings.MinPoolSize = 0;
        settings.Multiplexing = false;
        settings.Timeout = Math.Max(1, (int)Math.Ceiling(options.ConnectTimeout.TotalSeconds));
        settings.IncludeErrorDetail = false;
    }

    private static void AddServerSettings(NpgsqlConnectionStringBuilder settings, params ReadOnlySpan<(string Name, string Value)> added)
    {
        foreach (var (name, value) in added)
        {
            settings.Options = $"{settings.Options} -c {name}={value}".TrimStart();
        }
    }

    private static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
