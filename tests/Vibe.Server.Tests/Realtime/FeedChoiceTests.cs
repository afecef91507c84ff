using Microsoft.Extensions.Logging;
using Npgsql;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Realtime;

/// <summary>Where the log cannot be read, the tables are.</summary>
[Collection(PostgresCollection.Name)]
public sealed class FeedChoiceTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    private readonly DatabaseOptions _options = new() { ConnectionString = host.Documents.Connection };

    [Fact]
    public async Task Without_a_right_to_the_log_the_tables_are_polled()
    {
        var login = new NpgsqlConnectionStringBuilder(host.Documents.Connection) { Username = "vibe_app" };
        var lines = await FollowAsync(new ReplicationFeed(new DatabaseOptions { ConnectionString = login.ConnectionString }, "vibe_feed"));
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
