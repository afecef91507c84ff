using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Vibe.Documents.V1;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Bus;
using Vibe.Server.Realtime.Channels;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Tests.Api;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime.Safeguards;

/// <summary>
/// The safeguards against what happens around a commit: it is in the log before anybody sees it, and a crash forgets numbers that
/// never reached the log. A cluster of its own, whose commits can be made to hang and which is killed.
/// </summary>
public sealed class CommitSafeguardTests : IAsyncLifetime
{
    private readonly EmbeddedClusterFixture _cluster = new();
    private readonly FeedCursors _cursors = new(RandomNumberGenerator.GetBytes(32));
    private DocumentsHost _documents = null!;
    private Someone _alice = null!;
    private Target _target = null!;
    private Task _probe = Task.CompletedTask;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        await _cluster.InitializeAsync();
        _documents = new DocumentsHost(_cluster);
        await _documents.InitializeAsync();
        _alice = _documents.User();
        _target = new Target { Collection = _documents.Collection(), Scope = DocumentScope.All, Initial = true };
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        await _documents.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_delivered_before_it_was_visible_is_kept_for_who_starts(bool guarded)
    {
        var hasStarted = guarded;
        var delivered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var node = Make(Tamper);
        await node.StartAsync();
        var document = await _alice.CreateAsync(_target.Collection, """{"n":1}""");
        await node.Hub.WhenSeenAsync(await NumberAsync(), CancellationToken.None);
        delivered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var write = await SlowWrite.BeginAsync(_documents.Connection, document.Id);
        var commit = await HangAsync(write);
        await delivered.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await using var follower = node.Follow(_alice.Caller, _target);
        await follower.ReadyAsync();
        hasStarted = true;
        await ReleaseAsync();
        await commit;
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(follower, _alice, _target, _alice));

        // Unguarded: what comes when nobody follows is not kept.
        async IAsyncEnumerable<FeedItem> Tamper(LogSource log, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var item in log.ReadAsync(cancellationToken))
            {
                if (item.Changes is null || hasStarted)
                {
                    yield return item;
                }

                if (item.Changes is not null)
                {
                    delivered.TrySetResult();
                }
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_feed_is_live_once_all_that_ran_when_it_was_opened_is_visible(bool guarded)
    {
        var document = await _alice.CreateAsync(_target.Collection, """{"n":1}""");
        await using var first = await SlowWrite.BeginAsync(_documents.Connection, document: null);
        await using var node = Make(guarded ? null : EagerAsync);
        await node.BeginAsync();

        // Opening waits for what runs, and again for what began meanwhile; what begins then and commits before the end is not told.
        await UntilAsync(WaitingFeeds(first));
        await using var second = await SlowWrite.BeginAsync(_documents.Connection, document: null);
        await first.RollbackAsync();
        await UntilAsync(WaitingFeeds(second));
        await using var write = await SlowWrite.BeginAsync(_documents.Connection, document.Id);
        var commit = await HangAsync(write);
        await second.RollbackAsync();
        await UntilAsync("select count(*) = 1 from pg_replication_slots where active and restart_lsn is not null and confirmed_flush_lsn is not null");
        await using var follower = node.Follow(_alice.Caller, _target);
        if (!guarded)
        {
            await follower.ReadyAsync();
        }

        await ReleaseAsync();
        await commit;
        Assert.Equal(guarded, await ModelCheck.HoldsAsync(follower, _alice, _target, _alice));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cursor_has_come_back_through_the_log(bool guarded)
    {
        // The server writes the log when somebody commits, and not by itself.
        await RunAsync("alter system set wal_writer_delay = '10s'");
        await RunAsync("select pg_reload_conf()");

        // Once more when something wrote the log at the wrong moment, and the numbers were not given again.
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var target = new Target { Collection = _documents.Collection(), Scope = DocumentScope.All, Initial = true };
            Follower follower;
            FeedEpoch epoch;
            await using (var node = Make())
            {
                await node.StartAsync();
                follower = node.Follow(_alice.Caller, target);
                await follower.ReadyAsync();
                epoch = node.Hub.Epoch!;
                await follower.DisposeAsync();
            }

            for (var n = 0; n < 40; n++)
            {
                await using var undone = await SlowWrite.BeginAsync(_documents.Connection, document: null);
                await undone.RollbackAsync();
            }

            var seen = await new FeedDatabase(_documents.Database).ReadSnapshotAsync(CancellationToken.None);
            using (var postmaster = Process.GetProcessById(_cluster.Cluster.ProcessId))
            {
                var restarted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _cluster.Cluster.Restarted += (_, _) => restarted.TrySetResult();
                postmaster.Kill();
                await restarted.Task.WaitAsync(TimeSpan.FromMinutes(1));
            }

            await CreateAfterCrashAsync(target.Collection);
            if (!seen.Sees(await LastNumberAsync(target.Collection)))
            {
                continue;
            }

            await using var again = Make();
            await again.StartAsync();
            var cursor = guarded ? follower.Cursor : _cursors.Issue(epoch, _alice.Caller, seen);
            await using var resumed = again.Follow(_alice.Caller, follower, target.With(cursor));
            await resumed.ReadyAsync();
            while (seen.Sees(await NumberAsync()))
            {
                // What the check writes comes after all that the cursor claims to have seen.
            }

            Assert.Equal(guarded, await ModelCheck.HoldsAsync(resumed, _alice, target, _alice));
            return;
        }

        Assert.Fail("The numbers were never given again.");
    }

    private Node Make(Func<LogSource, CancellationToken, IAsyncEnumerable<FeedItem>>? tampering = null) => new(
        _documents, new RealtimeOptions { Feed = FeedKind.Replication }, _cursors, new ChannelOptions(), new BusOptions(),
        _documents.Database.CreateFeed("vibe_feed"), NullLoggerFactory.Instance)
    {
        Tampering = tampering,
    };

    // Live from its first heartbeat on.
    private async IAsyncEnumerable<FeedItem> EagerAsync(LogSource log, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var database = new FeedDatabase(_documents.Database);
        var beat = Task.CompletedTask;
        await foreach (var item in _documents.Database.CreateFeed("vibe_feed").ReadAsync(cancellationToken))
        {
            switch (item)
            {
                case null:
                    beat = database.BeatAsync(cancellationToken);
                    break;
                case FeedTransaction transaction:
                    var version = FeedDocument.Read(transaction.Changes[0].New!);
                    yield return new FeedItem(new CommittedChanges(version.Transaction, [new FeedChange(null, version)]), null);
                    break;
                case FeedMessage { Prefix: FeedDatabase.HeartbeatPrefix } message:
                    yield return new FeedItem(null, Snapshot.Parse(Encoding.ASCII.GetString(message.Content.Span)));
                    break;
            }
        }

        await beat;
    }

    // A commit that waits for a standby which does not exist: it is in the log, and nobody sees it.
    private async Task<Task> HangAsync(SlowWrite write)
    {
        await RunAsync("alter system set synchronous_standby_names = 'nobody'");
        await RunAsync("select pg_reload_conf()");
        await UntilAsync("select current_setting('synchronous_standby_names') = 'nobody'");
        _probe = ProbeAsync();
        await UntilAsync("select exists (select from pg_stat_activity where wait_event = 'SyncRep')");
        var commit = write.CommitAsync();
        await UntilAsync($"select wait_event = 'SyncRep' from pg_stat_activity where pid = {write.Process}");
        return commit;
    }

    // Commits until one hangs: from then on all do.
    private async Task ProbeAsync()
    {
        while (await RunAsync("select current_setting('synchronous_standby_names') = 'nobody'") is true)
        {
            await RunAsync("select pg_logical_emit_message(true, 'probe', '') is not null");
        }
    }

    private async Task ReleaseAsync()
    {
        await RunAsync("alter system reset synchronous_standby_names");
        await RunAsync("select pg_reload_conf()");
        await _probe;
    }

    private static string WaitingFeeds(SlowWrite write) =>
        $"""
        select exists (select from pg_locks waiting join pg_locks held on held.transactionid = waiting.transactionid
          where not waiting.granted and held.granted and held.pid = {write.Process})
        """;

    // Its connection may be one from before the crash: a write is not tried again by itself.
    private async Task CreateAfterCrashAsync(string collection)
    {
        try
        {
            await _alice.CreateAsync(collection, """{"n":1}""");
        }
        catch (DatabaseException exception) when (exception.Kind == DatabaseErrorKind.ConnectionLost)
        {
            await _alice.CreateAsync(collection, """{"n":1}""");
        }
    }

    private Task<ulong> LastNumberAsync(string collection) => _documents.Database.Owner.QueryFirstAsync(
        $"select max(txid::text::bigint)::text::xid8 from vibe.documents where collection = {collection}", static row => row.GetXid8(0), CancellationToken.None);

    private Task<ulong> NumberAsync() => _documents.Database.Owner.QueryFirstAsync(
        $"select pg_current_xact_id()", static row => row.GetXid8(0), CancellationToken.None);

    private async Task<object?> RunAsync(string sql)
    {
        await using var connection = new NpgsqlConnection($"{_documents.Connection};Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private Task UntilAsync(string condition) => ApiServer.EventuallyAsync(async () => await RunAsync(condition) is true);
}
