using Vibe.Postgres.Diagnostics;
using Vibe.Postgres.Migrations;

namespace Vibe.Postgres.Tests.Diagnostics;

[Collection(PostgresCollection.Name)]
public sealed class DatabaseDiagnosticsTests(EmbeddedClusterFixture cluster)
{
    [Fact]
    public async Task A_fresh_cluster_is_described_and_only_its_lack_of_durability_is_a_problem()
    {
        await using var database = await cluster.CreateDatabaseAsync();
        var migrator = new Migrator(database, Migration.Load(), TimeProvider.System);
        var report = await new DatabaseDiagnostics(database, migrator, cluster.Cluster).ExamineAsync(CancellationToken.None);

        Assert.True(report.ServerMajor >= 15);
        Assert.Equal("logical", report.WalLevel);
        Assert.Null(report.ReplicationObstacle);
        Assert.Equal("wal_level is replica", (report with { WalLevel = "replica" }).ReplicationObstacle);
        Assert.Equal("the login may not replicate", (report with { MayReplicate = false }).ReplicationObstacle);
        Assert.Equal("no replication slot or WAL sender is free", (report with { FreeSlots = 0, Feeds = 0 }).ReplicationObstacle);
        Assert.Equal(["vibe_app", "vibe_owner", "vibe_view"], report.Roles.Select(static role => role.Name).Order());
        Assert.True(report.DatabaseBytes > 0 && report.Storage is { DataBytes: > 0, FreeBytes: > 0 });
        Assert.True(report.Migrations.IsCurrent);
        Assert.Contains("not forced to disk", Assert.Single(report.Problems).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_is_said_with_what_to_do()
    {
        await using var database = await cluster.CreateDatabaseAsync();
        var pending = new Migration(900, "later", "select 1", "x");
        var migrator = new Migrator(database, [.. Migration.Load(), pending], TimeProvider.System);
        var report = await new DatabaseDiagnostics(database, migrator, null).ExamineAsync(CancellationToken.None) with
        {
            Durable = true,
            Roles = [new("vibe_app", IsSuperuser: false, BypassesRowSecurity: true), new("vibe_owner", IsSuperuser: false, BypassesRowSecurity: false)],
            LongTransactions = [new(7, "x", "psql", "active", TimeSpan.FromMinutes(5), Writes: true)],
        };

        Assert.Equal(
            [
                "Role vibe_view is missing: run vibe migrate.",
                "Role vibe_app is above row-level security, so everyone sees every document: run ALTER ROLE vibe_app NOSUPERUSER NOBYPASSRLS.",
                "1 migration(s) have not run: run vibe migrate.",
                "Process 7 (psql) has had a writing transaction open for 00:05:00: end it with pg_terminate_backend.",
            ],
            report.Problems.Select(static problem => problem.Text));
        Assert.Equal(
            [DatabaseCheck.Roles, DatabaseCheck.Roles, DatabaseCheck.Schema, DatabaseCheck.Transactions], report.Problems.Select(static problem => problem.Check));
    }
}
