using System.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Vibe.Errors.V1;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Kernel;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Auth;

/// <summary>Revocations on their way through the database.</summary>
[Collection(PostgresCollection.Name)]
public sealed class RevocationReaderTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    private static readonly AuthOptions Options = new() { Issuer = "http://vibe.localhost" };

    private readonly RevocationStore _store = new(host.Database, Options);

    [Fact]
    public async Task A_revocation_on_one_node_ends_streams_on_another()
    {
        var (here, there) = (new RevocationSet(TimeProvider.System), new RevocationSet(TimeProvider.System));
        using var reader = Reader(there);
        await reader.StartAsync(CancellationToken.None);
        var caller = Holder("two nodes");
        using var watch = there.Watch(caller, CancellationToken.None);
        Assert.Null(watch.Reason);

        await new Revoker(_store, here).RevokeAsync(Revocation.OfGrant(caller.Grant!), CancellationToken.None);
        Assert.Equal(ErrorReason.TokenRevoked, here.LossOf(caller));
        await RevocationSetTests.ToldAsync(watch);
        await reader.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task What_commits_late_is_not_missed()
    {
        var revocations = new RevocationSet(TimeProvider.System);
        using var reader = Reader(revocations);
        await reader.ReadAsync(CancellationToken.None);
        await using var late = await host.Database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, CancellationToken.None);
        await late.QueryFirstAsync(Revocation.OfGrant("late").ToStatement(Options), static row => Revocation.Read(row), CancellationToken.None);
        await _store.InsertAsync(Revocation.OfGrant("early"), CancellationToken.None);

        await reader.ReadAsync(CancellationToken.None);
        Assert.NotNull(revocations.LossOf(Holder("early")));
        Assert.Null(revocations.LossOf(Holder("late")));
        await late.CommitAsync(CancellationToken.None);
        await reader.ReadAsync(CancellationToken.None);
        Assert.NotNull(revocations.LossOf(Holder("late")));
    }

    [Fact]
    public async Task A_node_that_starts_knows_what_was_revoked_before()
    {
        await _store.InsertAsync(Revocation.OfConsent("did:web:vibe.test:users:before", "did:web:vibe.test:apps:before"), CancellationToken.None);
        var revocations = new RevocationSet(TimeProvider.System);
        using var reader = Reader(revocations);
        await reader.StartAsync(CancellationToken.None);
        var caller = new Caller
        {
            Did = "did:web:vibe.test:users:before", App = "did:web:vibe.test:apps:before", IssueTime = DateTimeOffset.UnixEpoch,
        };
        Assert.Equal(ErrorReason.TokenRevoked, revocations.LossOf(caller));
        await reader.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Only_what_is_new_is_read_and_all_of_it_when_the_database_is_another_one()
    {
        var written = await _store.InsertAsync(Revocation.OfGrant("read once"), CancellationToken.None);
        var (all, place) = await _store.ReadAsync(null, CancellationToken.None);
        Assert.Contains(written, all);
        var (none, next) = await _store.ReadAsync(place, CancellationToken.None);
        Assert.DoesNotContain(written, none);
        var (again, _) = await _store.ReadAsync(next with { Server = "another start" }, CancellationToken.None);
        Assert.Contains(written, again);
    }

    [Fact]
    public async Task The_database_forgets_what_has_expired_and_nothing_else()
    {
        var (gone, alive) = (Revocation.OfGrant("gone"), Revocation.OfGrant("alive"));
        await _store.InsertAsync(gone, CancellationToken.None);
        await _store.InsertAsync(alive, CancellationToken.None);
        await host.Database.Owner.ExecuteAsync(
            $"update vibe.revocations set expire_time = now() - interval '1 second' where id = {gone.Id}", CancellationToken.None);
        await host.Database.Owner.ExecuteAsync(RevocationStore.DeleteExpired(limit: 1000), CancellationToken.None);
        var left = await host.Database.Owner.QueryAsync(
            $"select id from vibe.revocations where id = any({(Guid[])[gone.Id, alive.Id]})", static row => row.GetGuid(0), CancellationToken.None);
        Assert.Equal([alive.Id], left);
    }

    [Fact]
    public async Task Requests_cannot_read_or_write_revocations()
    {
        var read = await Assert.ThrowsAsync<DatabaseException>(() => host.Database.QueryAsync(
            RequestContext.Anonymous, $"select subject from vibe.revocations", static row => row.GetString(0), CancellationToken.None));
        var write = await Assert.ThrowsAsync<DatabaseException>(() => host.Database.ExecuteAsync(
            RequestContext.Anonymous, $"delete from vibe.revocations", CancellationToken.None));
        Assert.Equal((DatabaseErrorKind.InsufficientPrivilege, DatabaseErrorKind.InsufficientPrivilege), (read.Kind, write.Kind));
    }

    private static Caller Holder(string grant) => new() { Did = "did:web:vibe.test:users:1", Grant = grant, IssueTime = DateTimeOffset.UnixEpoch };

    private RevocationReader Reader(RevocationSet revocations) =>
        new(_store, revocations, TimeProvider.System, NullLogger<RevocationReader>.Instance);
}
