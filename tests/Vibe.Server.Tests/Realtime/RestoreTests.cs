using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Bus;
using Vibe.Server.Realtime.Channels;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Subscriptions;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>A database restored into another cluster: its transaction numbers mean nothing there.</summary>
[Collection(PostgresCollection.Name)]
public sealed class RestoreTests(RealtimeHost host) : IClassFixture<RealtimeHost>, IAsyncLifetime
{
    private readonly EmbeddedClusterFixture _cluster = new();
    private DocumentsHost _restored = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        await _cluster.InitializeAsync();
        _restored = new DocumentsHost(_cluster);
        await _restored.InitializeAsync();
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        await _restored.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Cursors_from_before_have_expired_catching_up_is_short_and_nothing_is_lost()
    {
        await SpendTransactionsAsync();
        var (alice, bob, collection) = (host.Documents.User(), host.Documents.User(), host.Documents.Collection());
        List<Document> all = [];
        for (var n = 0; n < 4; n++)
        {
            all.Add(await alice.CreateAsync(collection, acl: Someone.Acl([bob.Did])));
        }

        await alice.DeleteAsync(all[0].Id);
        await alice.UpdateAsync(all[1].Id, acl: Someone.Acl(), mask: ["acl"]);
        await using var follower = host.Node.Follow(bob.Caller, new Target { Collection = collection, Scope = DocumentScope.All });
        await follower.ReadyAsync();
        await CopyAsync();

        // The numbers lie ahead: every cursor would bring everything again and again.
        Assert.Equal(4, await MissedAsync(bob, collection));
        await using var node = new Node(
            _restored, new RealtimeOptions(), host.Node.Cursors, new ChannelOptions(), new BusOptions(), _restored.Database.CreateFeed("vibe_feed"),
            NullLoggerFactory.Instance);
        await node.StartAsync();
        Assert.Equal(0, await MissedAsync(bob, collection));

        await using var refused = node.Follow(bob.Caller, new Target { Collection = collection, Scope = DocumentScope.All, Cursor = follower.Cursor });
        var error = (await refused.FrameAsync(static frame => frame.TargetError is not null)).TargetError;
        Assert.Equal("CURSOR_EXPIRED", error.Reason);

        var target = new Target { Collection = collection, Scope = DocumentScope.All };
        await using var earliest = node.Follow(bob.Caller, target.With(error.Metadata["earliestCursor"]));
        await earliest.HoldsAsync([all[2], all[3]]);
        await using var anew = node.Follow(bob.Caller, target.With(initial: true));
        await anew.HoldsAsync([all[2], all[3]]);
        var later = await new Someone(_restored.Service, alice.Caller).CreateAsync(collection, acl: Someone.Acl([bob.Did]));
        await earliest.HoldsAsync([all[2], all[3], later]);
        await anew.HoldsAsync([all[2], all[3], later]);
    }

    // So that the numbers of the first cluster lie ahead of those of the second.
    private async Task SpendTransactionsAsync()
    {
        await using var connection = new NpgsqlConnection(host.Documents.Connection);
        await connection.OpenAsync();
        await using var spend = new NpgsqlCommand(
            """
            create temp table spent (n int);
            do $$ begin
              for n in 1..20000 loop
                begin insert into spent values (n); exception when division_by_zero then null; end;
              end loop;
            end $$
            """,
            connection);
        await spend.ExecuteNonQueryAsync();
    }

    // What a dump holds, restored the way a restore does it: rows as they were, no trigger fires.
    private async Task CopyAsync()
    {
        await using var from = new NpgsqlConnection(host.Documents.Connection);
        await from.OpenAsync();
        await using var to = new NpgsqlConnection(_restored.Connection);
        await to.OpenAsync();
        List<string> tables = [];
        await using (var list = new NpgsqlCommand(
            "select format('vibe.%I', tablename) from pg_tables where schemaname = 'vibe' and tablename <> 'schema_migrations'", from))
        await using (var reader = await list.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                tables.Add(reader.GetString(0));
            }
        }

        await using (var quiet = new NpgsqlCommand($"set session_replication_role = replica; truncate {string.Join(", ", tables)}", to))
        {
            await quiet.ExecuteNonQueryAsync();
        }

        foreach (var table in tables)
        {
            await using var rows = await from.BeginRawBinaryCopyAsync($"copy {table} to stdout (format binary)");
            await using var restored = await to.BeginRawBinaryCopyAsync($"copy {table} from stdin (format binary)");
            await rows.CopyToAsync(restored);
        }
    }

    private async Task<int> MissedAsync(Someone someone, string collection)
    {
        var feed = new FeedDatabase(_restored.Database);
        var now = await feed.ReadSnapshotAsync(CancellationToken.None);
        var missed = new CatchUpStore(_restored.Database, feed, new CatchUpTurns(new RealtimeOptions()));
        HashSet<Guid> changed = [];
        await foreach (var change in missed.ReadAsync(someone.Caller, collection, now, now, CancellationToken.None))
        {
            changed.Add(change.Id);
        }

        return changed.Count;
    }
}
