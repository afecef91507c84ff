using System.Diagnostics;
using System.Net;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Vibe.Postgres.Embedded;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Rpc;
using Vibe.Server.Auth.Revocations;

namespace Vibe.Server.Tests.Api;

/// <summary>Revocations as clients see them, on two servers with one database.</summary>
[Collection(PostgresCollection.Name)]
public sealed class RevocationTests(EmbeddedClusterFixture cluster)
{
    [Theory]
    [InlineData("grant")]
    [InlineData("consent")]
    [InlineData("account")]
    [InlineData("app")]
    public async Task Calls_are_refused_and_streams_end_on_every_server(string what)
    {
        var (database, key) = (await cluster.CreateEmptyDatabaseAsync(), ApiServer.NewMasterKey());
        await using var one = await ApiServer.StartAsync(database, masterKey: key);
        await using var two = await ApiServer.StartAsync(database, masterKey: key);
        var alice = one.User(grant: "alice's session");
        var there = new ApiUser(two, alice.Did, alice.Token);
        using var stream = await FollowAsync(two, alice.Metadata);

        await RevokerOf(one).RevokeAsync(
            what switch
            {
                "grant" => Revocation.OfGrant("alice's session"),
                "consent" => Revocation.OfConsent(alice.Did, ApiServer.App1),
                "account" => Revocation.OfAccount(alice.Did),
                _ => Revocation.OfApp(ApiServer.App1),
            },
            CancellationToken.None);
        (await alice.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        Assert.Equal("TOKEN_REVOKED", await LostAsync(stream));
        (await there.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        var call = await Assert.ThrowsAsync<RpcException>(() => there.Grpc.ListDocumentsAsync(new() { Collection = "notes" }, there.Metadata).ResponseAsync);
        Assert.Equal((StatusCode.Unauthenticated, "TOKEN_REVOKED"), (call.StatusCode, call.GetErrorInfo()!.Reason));
    }

    [Fact]
    public async Task A_server_that_starts_refuses_what_was_revoked_before_from_its_first_call_on()
    {
        var (database, key) = (await cluster.CreateEmptyDatabaseAsync(), ApiServer.NewMasterKey());
        ApiUser alice;
        await using (var first = await ApiServer.StartAsync(database, masterKey: key))
        {
            alice = first.User(grant: "before");
            await RevokerOf(first).RevokeAsync(Revocation.OfGrant("before"), CancellationToken.None);
        }

        await using var second = await ApiServer.StartAsync(database, masterKey: key);
        (await new ApiUser(second, alice.Did, alice.Token).GetAsync("/v1/documents?collection=notes"))
            .Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
    }

    [Fact]
    public async Task A_change_of_principals_ends_streams_but_no_token()
    {
        await using var server = await ApiServer.StartAsync(await cluster.CreateEmptyDatabaseAsync());
        var alice = server.User();
        using var stream = await FollowAsync(server, alice.Metadata);
        await RevokerOf(server).RevokeAsync(Revocation.OfPrincipals(alice.Did), CancellationToken.None);
        Assert.Equal("ACCESS_CHANGED", await LostAsync(stream));
        using var again = await FollowAsync(server, alice.Metadata);
    }

    [Fact]
    public async Task While_the_database_is_away_nothing_revoked_comes_back_and_nothing_is_promised()
    {
        var directory = Path.Combine(Path.GetTempPath(), $"vibe-test-{Guid.NewGuid():n}");
        await using (var own = await EmbeddedCluster.StartAsync(
            new() { DataDirectory = directory, Durable = false }, NullLogger.Instance, TimeProvider.System, CancellationToken.None))
        {
            var options = new DatabaseOptions
            {
                ConnectionString = own.GetDatabaseOptions().ConnectionString, ConnectTimeout = TimeSpan.FromMinutes(1), ConnectRetry = TimeSpan.Zero,
            };
            await using var server = await ApiServer.StartAsync(options);
            var (alice, bob) = (server.User(grant: "alice"), server.User(grant: "bob"));
            using var stream = await FollowAsync(server, bob.Metadata);
            await RevokerOf(server).RevokeAsync(Revocation.OfGrant("alice"), CancellationToken.None);

            var held = await HeldDocuments.TakeAsync(options.ConnectionString, "vibe.revocations");
            var revoking = RevokerOf(server).RevokeAsync(Revocation.OfGrant("bob"), CancellationToken.None);
            await ApiServer.EventuallyAsync(async () => await held.WaitersAsync("vibe-owner", "insert into vibe.revocations") == 1);
            using (var postmaster = Process.GetProcessById(own.ProcessId))
            {
                postmaster.Kill();
            }

            Assert.Equal(DatabaseErrorKind.ConnectionLost, (await Assert.ThrowsAsync<DatabaseException>(() => revoking)).Kind);
            (await alice.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");

            // Another server, as soon as it can: this one has to read it.
            await ApiServer.EventuallyAsync(async () =>
            {
                try
                {
                    await server.App.Services.GetRequiredService<RevocationStore>().InsertAsync(Revocation.OfGrant("bob"), CancellationToken.None);
                    return true;
                }
                catch (DatabaseException)
                {
                    return false;
                }
            });
            Assert.Equal("TOKEN_REVOKED", await LostAsync(stream));
            (await bob.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
            (await alice.GetAsync("/v1/documents?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REVOKED");
        }

        Directory.Delete(directory, recursive: true);
    }

    private static Revoker RevokerOf(ApiServer server) => server.App.Services.GetRequiredService<Revoker>();

    private static async Task<AsyncServerStreamingCall<SubscribeResponse>> FollowAsync(ApiServer server, Metadata metadata)
    {
        var call = new RealtimeService.RealtimeServiceClient(server.Channel).Subscribe(new() { Collection = "notes" }, metadata);
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(ApiServer.Bound));
        Assert.NotNull(call.ResponseStream.Current.Ready);
        return call;
    }

    // The last frame, and then the end.
    private static async Task<string> LostAsync(AsyncServerStreamingCall<SubscribeResponse> stream)
    {
        SubscribeResponse? last = null;
        while (await stream.ResponseStream.MoveNext().WaitAsync(ApiServer.Bound))
        {
            last = stream.ResponseStream.Current;
        }

        return last!.AccessLost.Reason;
    }
}
