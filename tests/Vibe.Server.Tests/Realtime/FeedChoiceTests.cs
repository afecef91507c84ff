using Grpc.Core;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vibe.Postgres.Diagnostics;
using Vibe.Postgres.Migrations;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Commands;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Bus;
using Vibe.Server.Realtime.Channels;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Realtime;

/// <summary>Where the log cannot be read, the tables are.</summary>
[Collection(PostgresCollection.Name)]
public sealed class FeedChoiceTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    private readonly DatabaseOptions _options = EmbeddedClusterFixture.Patient(host.Documents.Connection);

    [Fact]
    public async Task Without_a_right_to_the_log_the_tables_are_polled()
    {
        var login = new NpgsqlConnectionStringBuilder(host.Documents.Connection) { Username = "vibe_app" };
        var lines = await FollowAsync(new ReplicationFeed(EmbeddedClusterFixture.Patient(login.ConnectionString), "vibe_feed"));
        Assert.Contains("the login may not replicate", Assert.Single(lines, static line => line.Level >= LogLevel.Warning).Text, StringComparison.Ordinal);
        Assert.Contains(lines, static line => line.Text.Contains("live, by polling", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_free_slot_the_tables_are_polled()
    {
        // A pooled connection would keep what it took.
        await using var connection = new NpgsqlConnection($"{host.Documents.Connection};Pooling=false");
        await connection.OpenAsync();
        await using var take = new NpgsqlCommand(
            """
            select count(pg_create_physical_replication_slot('taken_' || slot, false, true)) from generate_series(
              1, current_setting('max_replication_slots')::int - (select count(*)::int from pg_replication_slots)) slot
            """,
            connection);
        await take.ExecuteScalarAsync();
        var lines = await FollowAsync(new ReplicationFeed(_options, "vibe_feed"));
        Assert.Contains("no replication slot is free", Assert.Single(lines, static line => line.Level >= LogLevel.Warning).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_replication_is_possible_it_is_used()
    {
        var lines = await FollowAsync(new ReplicationFeed(_options, "vibe_feed"));
        Assert.DoesNotContain(lines, static line => line.Level >= LogLevel.Warning);
        Assert.Contains(lines, static line => line.Text.Contains("live, by replication", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_replication_is_demanded_and_impossible_there_are_no_live_queries_and_everybody_is_told()
    {
        using var capture = new LogCapture();
        using var logs = LoggerFactory.Create(builder => builder.AddProvider(capture));
        var login = new NpgsqlConnectionStringBuilder(host.Documents.Connection) { Username = "vibe_app" };
        await using var node = new Node(
            host.Documents, new RealtimeOptions { Feed = FeedKind.Replication }, host.Node.Cursors, new ChannelOptions(), new BusOptions(),
            new ReplicationFeed(EmbeddedClusterFixture.Patient(login.ConnectionString), "vibe_feed"), logs);
        await node.BeginAsync();
        await using var follower = node.Follow(host.Documents.User().Caller, new Target { Collection = host.Documents.Collection() });
        var error = (await follower.FrameAsync(static frame => frame.TargetError is not null)).TargetError;
        Assert.Equal(((int)StatusCode.Unavailable, "DATABASE_UNAVAILABLE"), (error.Code, error.Reason));

        // It was tried again several times meanwhile.
        var line = Assert.Single(capture.Lines, static line => line.Level >= LogLevel.Warning);
        Assert.Equal(LogLevel.Error, line.Level);
        Assert.Contains("There are no live queries, because the login may not replicate", line.Text, StringComparison.Ordinal);

        var database = host.Documents.Database;
        var migrator = new Migrator(database, Migration.Load(typeof(Database).Assembly), TimeProvider.System);
        var report = await new DatabaseDiagnostics(database, migrator, cluster: null).ExamineAsync(CancellationToken.None) with { MayReplicate = false };
        Assert.Contains("because the login may not replicate", Assert.Single(DoctorChecks.FeedOf(report, FeedKind.Replication).Problems), StringComparison.Ordinal);
        Assert.Empty(DoctorChecks.FeedOf(report, FeedKind.Auto).Problems);
    }

    // Live queries work, whatever the log says.
    private async Task<IReadOnlyCollection<(LogLevel Level, string Text)>> FollowAsync(ReplicationFeed feed)
    {
        using var capture = new LogCapture();
        using var logs = LoggerFactory.Create(builder => builder.AddProvider(capture));
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var node = await host.StartNodeAsync(feed, logs);
        await using var follower = node.Follow(alice.Caller, new Target { Collection = collection });
        await follower.ReadyAsync();
        await follower.HoldsAsync([await alice.CreateAsync(collection)]);
        return capture.Lines;
    }
}
