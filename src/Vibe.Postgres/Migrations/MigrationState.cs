namespace Vibe.Postgres.Migrations;

/// <summary>How the database's schema compares with what this binary carries.</summary>
/// <param name="Applied">Migrations recorded in the database, by number.</param>
/// <param name="Pending">Those this binary would still run, in order.</param>
/// <param name="Unknown">Recorded ones this binary does not know: the database is newer than the binary.</param>
/// <param name="Changed">Those whose text differs from what was run.</param>
public sealed record MigrationState(
    IReadOnlyList<AppliedMigration> Applied,
    IReadOnlyList<Migration> Pending,
    IReadOnlyList<AppliedMigration> Unknown,
    IReadOnlyList<Migration> Changed)
{
    /// <summary>Nothing to do and nothing wrong.</summary>
    public bool IsCurrent => Pending.Count == 0 && Unknown.Count == 0 && Changed.Count == 0;

    internal static MigrationState Compare(IReadOnlyList<Migration> known, IReadOnlyList<AppliedMigration> applied)
    {
        var recorded = applied.ToDictionary(static migration => migration.Number);
        var numbers = known.Select(static migration => migration.Number).ToHashSet();
        return new(
            applied,
            [.. known.Where(migration => !recorded.ContainsKey(migration.Number))],
            [.. applied.Where(migration => !numbers.Contains(migration.Number))],
            [.. known.Where(migration => recorded.TryGetValue(migration.Number, out var run) && run.Checksum != migration.Checksum)]);
    }

    /// <exception cref="MigrationException">The binary must not run on this database.</exception>
    internal void Verify()
    {
        if (Unknown is [var newer, ..])
        {
            throw new MigrationException(
                $"The database was migrated by a newer Vibe ({Unknown[^1].FileName}, and {Unknown.Count} migration(s) unknown here from {newer.FileName} on): start that version, or restore an older backup.");
        }
        if (Changed is [var changed, ..])
        {
            throw new MigrationException(
                $"Migration {changed.FileName} was changed after it had run on this database: restore its text and put the change into a new migration.");
        }
    }
}

/// <summary>A migration the database has seen.</summary>
public sealed record AppliedMigration(int Number, string Name, string Checksum, DateTimeOffset AppliedAt)
{
    /// <summary>As in the file's name, for messages.</summary>
    public string FileName => $"{Number.ToString("D4", System.Globalization.CultureInfo.InvariantCulture)}_{Name}.sql";
}
