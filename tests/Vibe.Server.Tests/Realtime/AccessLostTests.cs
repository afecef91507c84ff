using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Kernel;

namespace Vibe.Server.Tests.Realtime;

/// <summary>Streams whose caller's access ends or changes.</summary>
[Collection(PostgresCollection.Name)]
public sealed class AccessLostTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    [Fact]
    public async Task A_revoked_grant_ends_its_streams_and_no_others()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var revoked = Follow(alice.Caller with { Grant = "one" }, collection);
        await using var other = Follow(alice.Caller with { Grant = "two" }, collection);
        await revoked.ReadyAsync();
        await other.ReadyAsync();
        Revoke(Revocation.OfGrant("one"));
        await revoked.EndedAsync();
        Assert.Equal("TOKEN_REVOKED", revoked.Frames[^1].AccessLost.Reason);

        await other.HoldsAsync([await alice.CreateAsync(collection)]);
        Assert.Empty(revoked.Documents());
    }

    [Fact]
    public async Task A_client_that_does_not_read_gets_nothing_after_its_access_has_ended()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var follower = Follow(alice.Caller with { Grant = "blocked" }, collection);
        await using var witness = Follow(alice.Caller, collection);
        await follower.ReadyAsync();
        await witness.ReadyAsync();
        follower.Blocked = new TaskCompletionSource();
        await witness.HoldsAsync([await alice.CreateAsync(collection), await alice.CreateAsync(collection)]);
        Revoke(Revocation.OfGrant("blocked"));
        follower.Blocked.SetResult();
        await follower.EndedAsync();
        Assert.Equal("TOKEN_REVOKED", follower.Frames[^1].AccessLost.Reason);
    }

    [Fact]
    public async Task A_change_of_principals_ends_the_stream_and_the_cursor_of_other_rights_has_expired()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        await using var follower = Follow(alice.Caller, collection);
        await follower.ReadyAsync();
        Revoke(Revocation.OfPrincipals(alice.Did));
        await follower.EndedAsync();
        Assert.Equal("ACCESS_CHANGED", follower.Frames[^1].AccessLost.Reason);

        // The same principals after all: it goes on. Others: everything is read again.
        var missed = await alice.CreateAsync(collection);
        var target = new Target { Collection = collection, Cursor = follower.Cursor };
        var recomputed = alice.Caller with { AccessVersion = host.Node.Access.Version };
        await using var same = host.Node.Follow(recomputed, target);
        await same.HoldsAsync([missed]);
        await using var richer = host.Node.Follow(recomputed with { Principals = [.. alice.Caller.Principals, "cert:did:web:gov.test#Resident"] }, target);
        Assert.Equal("CURSOR_EXPIRED", (await richer.FrameAsync(static frame => frame.TargetError is not null)).TargetError.Reason);
    }

    private Follower Follow(Caller caller, string collection) => host.Node.Follow(caller, new Target { Collection = collection });

    private void Revoke(Revocation revocation)
    {
        var now = TimeProvider.System.GetUtcNow();
        host.Node.Access.Apply(revocation with { RevokeTime = now, ExpireTime = now.AddMinutes(1) });
    }
}
