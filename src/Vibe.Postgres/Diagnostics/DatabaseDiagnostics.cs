using Vibe.Postgres.Embedded;
using Vibe.Postgres.Migrations;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Diagnostics;

/// <summary>What an operator wants to know about the database, gathered by <c>vibe doctor</c>.</summary>
/// <param name="ServerVersion">As the server reports it, like <c>15.18</c>.</param>
/// <param name="ServerMajor">First number of the version; 15 is the oldest that works.</param>
/// <param name="WalLevel"><c>logical</c> is what the change feed needs.</param>
/// <param name="MayReplicate">Whether the migrating login may open a replication connection.</param>
/// <param name="FreeSlots">Replication slots, or connections to read them, that nobody uses: the smaller number.</param>
/// <param name="Feeds">Nodes that read the log for the change feed now.</param>
/// <param name="Durable">Whether commits are forced to disk (fsync and synchronous_commit).</param>
/// <param name="DatabaseBytes">Size of this database on disk.</param>
/// <param name="Connections">Connections in use on the whole server.</param>
/// <param name="MaxConnections">Connections the server accepts.</param>
/// <param name="Roles">The three roles; one that is missing is not in the list.</param>
/// <param name="LongTransactions">Transactions open for more than a minute, longest first, at most 20. Writing ones hold the change feed and vacuum back.</param>
/// <param name="ReplicationSlots">Slots and the log they retain.</param>
/// <param name="Migrations">How the schema compares with this binary.</param>
/// <param name="Storage">The disk below an embedded cluster; null when the database is elsewhere.</param>
public sealed record DatabaseReport(
    string ServerVersion,
    int ServerMajor,
    string WalLevel,
    bool MayReplicate,
    int FreeSlots,
    int Feeds,
    bool Durable,
    long DatabaseBytes,
    int Connections,
    int MaxConnections,
    IReadOnlyList<RoleReport> Roles,
    IReadOnlyList<LongTransaction> LongTransactions,
    IReadOnlyList<SlotReport> ReplicationSlots,
    MigrationState Migrations,
    StorageReport? Storage)
{
    /// <summary>What is wrong; empty when all is well.</summary>
    public IReadOnlyList<DatabaseProblem> Problems => [.. DatabaseProblems.Find(this)];

    /// <summary>Why the log cannot be read, in plain words to stand after "because"; null when it can.</summary>
    public string? ReplicationObstacle => this switch
    {
        { WalLevel: not "logical" } => $"wal_level is {WalLevel}",
        { MayReplicate: false } => "the login may not replicate",
        { FreeSlots: <= 0, Feeds: 0 } => "no replication slot or WAL sender is free",
        _ => null,
    };
}

/// <summary>A role and what it may do.</summary>
public sealed record RoleReport(string Name, bool IsSuperuser, bool BypassesRowSecurity);

/// <summary>A transaction that has been open for long. Never its statement, which may hold personal data.</summary>
public sealed record LongTransaction(int ProcessId, string Role, string Application, string State, TimeSpan Age, bool Writes);

/// <summary>A replication slot.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsActive">Whether someone reads it.</param>
/// <param name="RetainedBytes">Log kept for it.</param>
public sealed record SlotReport(string Name, bool IsActive, long RetainedBytes);

/// <summary>Disk of an embedded cluster.</summary>
/// <param name="DataDirectory">Its directory.</param>
/// <param name="DataBytes">Size of all files in it, log and write-ahead log included; null when its files are closed to this user.</param>
/// <param name="FreeBytes">Free space on the same disk.</param>
public sealed record StorageReport(string DataDirectory, long? DataBytes, long FreeBytes);

/// <summary>Gathers a <see cref="DatabaseReport"/>; changes nothing.</summary>
/// <param name="database">Its admin login asks.</param>
/// <param name="migrator">Compares the schema.</param>
/// <param name="cluster">The embedded cluster, or null.</param>
public sealed class DatabaseDiagnostics(Database database, Migrator migrator, EmbeddedCluster? cluster)
{
    /// <summary>Asks the server and the disk.</summary>
    /// <exception cref="DatabaseException">The database cannot be reached.</exception>
    public async Task<DatabaseReport> ExamineAsync(CancellationToken cancellationToken)
    {
        var batch = database.Admin.CreateBatch(Access.Read);
        var server = batch.QueryFirst(
            $"""
            select split_part(current_setting('server_version'), ' ', 1), current_setting('server_version_num')::int / 10000, current_setting('wal_level'),
              (select rolsuper or rolreplication from pg_roles where rolname = current_user),
              least(
                current_setting('max_replication_slots')::int - (select count(*) from pg_replication_slots),
                current_setting('max_wal_senders')::int - (select count(*) from pg_stat_replication))::int,
              (select count(*) from pg_stat_replication where application_name = {ReplicationFeed.ApplicationName})::int,
              current_setting('fsync') = 'on' and current_setting('synchronous_commit') <> 'off',
              pg_database_size(current_database()), (select count(*) from pg_stat_activity where backend_type = 'client backend')::int,
              current_setting('max_connections')::int
            """,
            static row => (
                Version: row.GetString(0), Major: row.GetInt32(1), WalLevel: row.GetString(2), Replicates: row.GetBoolean(3), FreeSlots: row.GetInt32(4),
                Feeds: row.GetInt32(5), Durable: row.GetBoolean(6), Bytes: row.GetInt64(7), Connections: row.GetInt32(8), MaxConnections: row.GetInt32(9)));
        var roles = batch.Query(
            $"select rolname::text, rolsuper, rolbypassrls from pg_roles where rolname in ('vibe_owner', 'vibe_view', 'vibe_app') order by rolname",
            static row => new RoleReport(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2)));
        var transactions = batch.Query(
            $"""
            select pid, coalesce(usename::text, ''), application_name, coalesce(state, ''), extract(epoch from now() - xact_start)::float8, backend_xid is not null
            from pg_stat_activity
            where xact_start < now() - interval '1 minute' and backend_type = 'client backend' order by xact_start limit 20
            """,
            static row => new LongTransaction(
                row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetString(3), TimeSpan.FromSeconds(row.GetDouble(4)), row.GetBoolean(5)));
        var slots = batch.Query(
            $"""
            select slot_name::text, active, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint
            from pg_replication_slots where not pg_is_in_recovery() order by slot_name
            """,
            static row => new SlotReport(row.GetString(0), row.GetBoolean(1), row.GetInt64(2)));
        await batch.RunAsync(cancellationToken);

        var found = server.Value;
        return new(
            found.Version, found.Major, found.WalLevel, found.Replicates, found.FreeSlots, found.Feeds, found.Durable, found.Bytes, found.Connections,
            found.MaxConnections, roles.Value, transactions.Value, slots.Value, await migrator.GetStateAsync(cancellationToken), cluster is null ? null : Measure(cluster.DataDirectory));
    }

    private static StorageReport Measure(string directory)
    {
        long? bytes;
        try
        {
            // Files come and go under a running server.
            bytes = new DirectoryInfo(directory).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => Length(file));
        }
        catch (UnauthorizedAccessException)
        {
            bytes = null;
        }
        return new(directory, bytes, new DriveInfo(directory).AvailableFreeSpace);
    }

    private static long Length(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }
}
