using System.Globalization;
using Npgsql;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Migrations;

/// <summary>
/// Brings the schema to what this binary carries. Any number of processes may do so at once: one works, the others wait and find it done.
/// </summary>
/// <param name="database">Its admin login migrates.</param>
/// <param name="migrations">From <see cref="Migration.Load"/>.</param>
/// <param name="time">For the recorded durations.</param>
public sealed class Migrator(Database database, IReadOnlyList<Migration> migrations, TimeProvider time)
{
    /// <summary>Prepares roles and schema if needed and runs the missing migrations, each in its own transaction.</summary>
    /// <param name="progress">Told each migration after it has run; may be null.</param>
    /// <param name="cancellationToken">Stops between or within migrations; what has been recorded stays.</param>
    /// <returns>The migrations that this call ran.</returns>
    /// <exception cref="MigrationException">The database is newer than the binary, a recorded migration was changed, one failed, or the login lacks rights.</exception>
    /// <exception cref="DatabaseException">The database cannot be reached.</exception>
    public async Task<IReadOnlyList<Migration>> MigrateAsync(IProgress<Migration>? progress, CancellationToken cancellationToken)
    {
        await using var connection = await database.Admin.Pool.OpenAsync(cancellationToken);
        try
        {
            return await MigrateAsync(connection, progress, cancellationToken);
        }
        catch (Exception exception) when (DatabaseException.IsDriverError(exception))
        {
            throw DatabaseException.From(exception);
        }
    }

    /// <summary>Compares without changing anything. A database that was never prepared has everything pending.</summary>
    /// <exception cref="DatabaseException">The database cannot be reached.</exception>
    public async Task<MigrationState> GetStateAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Admin.Pool.OpenAsync(cancellationToken);
        try
        {
            return MigrationState.Compare(migrations, await ReadAppliedAsync(connection, cancellationToken) ?? []);
        }
        catch (Exception exception) when (DatabaseException.IsDriverError(exception))
        {
            throw DatabaseException.From(exception);
        }
    }

    private async Task<IReadOnlyList<Migration>> MigrateAsync(
        NpgsqlConnection connection, IProgress<Migration>? progress, CancellationToken cancellationToken)
    {
        // The usual start finds everything done and takes no lock. Roles are part of "done": the record's table exists only after them.
        if (await ReadAppliedAsync(connection, cancellationToken) is { } applied)
        {
            var state = MigrationState.Compare(migrations, applied);
            state.Verify();
            if (state.Pending.Count == 0 && await RolesExistAsync(connection, cancellationToken))
            {
                return [];
            }
        }

        await Bootstrap.RunAsync(connection, cancellationToken);
        var ran = new List<Migration>();
        foreach (var migration in migrations)
        {
            if (await RunIfMissingAsync(connection, migration, cancellationToken))
            {
                ran.Add(migration);
                progress?.Report(migration);
            }
        }
        return ran;
    }

    private async Task<bool> RunIfMissingAsync(NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await MigrationLock.AcquireAsync(connection, cancellationToken);
        var state = MigrationState.Compare(migrations, await ReadAppliedAsync(connection, cancellationToken) ?? []);
        state.Verify();
        if (!state.Pending.Contains(migration))
        {
            return false;
        }

        var started = time.GetTimestamp();
        await RunScriptAsync(connection, migration, cancellationToken);
        await using var record = new NpgsqlCommand(
            "insert into vibe.schema_migrations (number, name, checksum, duration) values ($1, $2, $3, $4)", connection)
        {
            Parameters =
            {
                new() { Value = migration.Number },
                new() { Value = migration.Name },
                new() { Value = migration.Checksum },
                new() { Value = time.GetElapsedTime(started) },
            },
        };
        await record.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static async Task RunScriptAsync(NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        try
        {
            await using (var role = new NpgsqlCommand($"set local role {Roles.Owner}", connection))
            {
                await role.ExecuteNonQueryAsync(cancellationToken);
            }
            await using var script = new NpgsqlCommand(migration.Script, connection);
            await script.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException error)
        {
            throw new MigrationException($"Migration {migration.FileName} failed and was rolled back: {Describe(error)}.", error);
        }
    }

    // The driver sends the statements of a script one by one, so a position counts from the start of its statement: quote it instead.
    private static string Describe(PostgresException error)
    {
        var statement = error.BatchCommand?.CommandText.TrimStart();
        var head = statement is null ? "" : string.Create(CultureInfo.InvariantCulture, $" in \"{statement[..Math.Min(80, statement.Length)].ReplaceLineEndings(" ")}…\"");
        return $"{error.MessageText} (SQLSTATE {error.SqlState}){head}";
    }

    private static async Task<IReadOnlyList<AppliedMigration>?> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using (var exists = new NpgsqlCommand("select to_regclass('vibe.schema_migrations') is not null", connection))
        {
            if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return null;
            }
        }
        await using var select = new NpgsqlCommand("select number, name, checksum, applied_at from vibe.schema_migrations order by number", connection);
        await using var reader = await select.ExecuteReaderAsync(cancellationToken);
        var applied = new List<AppliedMigration>();
        while (await reader.ReadAsync(cancellationToken))
        {
            applied.Add(new(reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<DateTimeOffset>(3)));
        }
        return applied;
    }

    // A database restored into another cluster has its tables but not its roles.
    private static async Task<bool> RolesExistAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "select count(*) = 3 from pg_roles where rolname in ('vibe_owner', 'vibe_view', 'vibe_app') and not rolsuper and not rolbypassrls", connection);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
