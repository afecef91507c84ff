using Npgsql;
using Vibe.Postgres.Notifications;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Notifications;

/// <summary>LISTEN and NOTIFY.</summary>
[Collection(PostgresCollection.Name)]
public sealed class NotificationChannelTests(EmbeddedClusterFixture cluster)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task All_listeners_get_what_is_sent_in_order_whatever_its_size()
    {
        var options = await cluster.CreateEmptyDatabaseAsync();
        await using var sender = await new NotificationChannel(options, "one").OpenAsync(CancellationToken.None);
        await using var listener = await new NotificationChannel(options, "one").OpenAsync(CancellationToken.None);
        await using var elsewhere = await new NotificationChannel(options, "two").OpenAsync(CancellationToken.None);
        string[] payloads = ["", "it's", new('x', NotificationChannel.MaxPayload), .. Enumerable.Range(0, 2000).Select(static n => $"{n}")];
        await sender.SendAsync(payloads, CancellationToken.None);
        foreach (var connection in (NotificationConnection[])[sender, listener])
        {
            foreach (var payload in payloads)
            {
                Assert.Equal(payload, await connection.ReceiveAsync(CancellationToken.None).WaitAsync(Bound));
            }
        }

        await elsewhere.SendAsync(["other"], CancellationToken.None);
        Assert.Equal("other", await elsewhere.ReceiveAsync(CancellationToken.None).WaitAsync(Bound));
    }

    [Fact]
    public async Task A_lost_connection_is_told_to_who_waits_and_to_who_sends()
    {
        var options = await cluster.CreateEmptyDatabaseAsync();
        await using var connection = await new NotificationChannel(options, "one").OpenAsync(CancellationToken.None);
        var waiting = connection.ReceiveAsync(CancellationToken.None);
        await using var admin = new NpgsqlConnection(options.ConnectionString);
        await admin.OpenAsync();
        await using var terminate = new NpgsqlCommand(
            "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity where datname = current_database() and application_name like 'vibe-bus-%'", admin);
        Assert.Equal(2L, await terminate.ExecuteScalarAsync());
        Assert.Equal(DatabaseErrorKind.ConnectionLost, (await Assert.ThrowsAsync<DatabaseException>(() => waiting.WaitAsync(Bound))).Kind);
        var lost = await Assert.ThrowsAsync<DatabaseException>(() => connection.SendAsync(["x"], CancellationToken.None));
        Assert.Equal(DatabaseErrorKind.ConnectionLost, lost.Kind);
    }
}
