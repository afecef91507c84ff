using System.Globalization;

namespace Vibe.Postgres.Diagnostics;

/// <summary>Judges a report: what is wrong and what to do about it.</summary>
internal static class DatabaseProblems
{
    private const long LowDisk = 1L << 30;
    private const long MuchRetained = 1L << 30;

    public static IEnumerable<DatabaseProblem> Find(DatabaseReport report)
    {
        if (report.ServerMajor < Embedded.PostgresBinaries.OldestMajor)
        {
            yield return new(DatabaseCheck.Version, $"PostgreSQL {report.ServerVersion} is too old: upgrade the server to {Embedded.PostgresBinaries.OldestMajor} or later.");
        }
        if (!report.Durable)
        {
            yield return new(DatabaseCheck.Durability, "Commits are not forced to disk: set fsync and synchronous_commit to on, or a crash loses acknowledged writes.");
        }
        foreach (var problem in FindInRoles(report).Concat(FindInSchema(report)).Concat(FindInUse(report)))
        {
            yield return problem;
        }
    }

    private static IEnumerable<DatabaseProblem> FindInRoles(DatabaseReport report)
    {
        foreach (var name in (string[])[Sessions.Roles.Owner, Sessions.Roles.View, Sessions.Roles.App])
        {
            if (report.Roles.FirstOrDefault(role => role.Name == name) is not { } role)
            {
                yield return new(DatabaseCheck.Roles, $"Role {name} is missing: run vibe migrate.");
            }
            else if (role.IsSuperuser || role.BypassesRowSecurity)
            {
                yield return new(DatabaseCheck.Roles, $"Role {name} is above row-level security, so everyone sees every document: run ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS.");
            }
        }
    }

    private static IEnumerable<DatabaseProblem> FindInSchema(DatabaseReport report)
    {
        if (report.Migrations.Unknown is [_, ..])
        {
            yield return new(DatabaseCheck.Schema, "The database is newer than this binary: start the newer version.");
        }
        if (report.Migrations.Changed is [var changed, ..])
        {
            yield return new(DatabaseCheck.Schema, $"Migration {changed.FileName} was changed after it had run: restore its text.");
        }
        if (report.Migrations.Pending is { Count: > 0 } pending)
        {
            yield return new(DatabaseCheck.Schema, $"{pending.Count.ToString(CultureInfo.InvariantCulture)} migration(s) have not run: run vibe migrate.");
        }
    }

    private static IEnumerable<DatabaseProblem> FindInUse(DatabaseReport report)
    {
        if (report.Connections > report.MaxConnections * 9 / 10)
        {
            yield return new(DatabaseCheck.Connections, $"{report.Connections} of {report.MaxConnections} connections are in use: raise max_connections or lower the pool sizes.");
        }
        foreach (var transaction in report.LongTransactions.Where(static one => one.Writes))
        {
            yield return new(DatabaseCheck.Transactions, $"Process {transaction.ProcessId} ({transaction.Application}) has had a writing transaction open for {transaction.Age:hh\\:mm\\:ss}: end it with pg_terminate_backend.");
        }
        foreach (var slot in report.ReplicationSlots.Where(static slot => !slot.IsActive && slot.RetainedBytes > MuchRetained))
        {
            yield return new(DatabaseCheck.Slots, $"Replication slot {slot.Name} is unused and retains {slot.RetainedBytes >> 20} MB of log: drop it with pg_drop_replication_slot.");
        }
        if (report.Storage is { FreeBytes: < LowDisk } storage)
        {
            yield return new(DatabaseCheck.Disk, $"Only {storage.FreeBytes >> 20} MB are free on the disk of {storage.DataDirectory}: free some space.");
        }
    }
}
