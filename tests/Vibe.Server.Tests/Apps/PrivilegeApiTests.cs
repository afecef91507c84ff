using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Apps;

/// <summary>Privileges from the manifest to the document: only what an operator approved, at once, and only for the app itself.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PrivilegeApiTests(ApiHost host) : IClassFixture<ApiHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task An_approved_privilege_holds_at_once_and_ends_at_once_with_its_streams()
    {
        var (owner, admin) = (await _server.PersonAsync(), await _server.PersonAsync("account admin"));
        var (name, collection) = (People.NewName(), _server.Collection());
        var did = (string)(await owner.PostAsync("/v1/apps", $$$"""
            {"name":"{{{name}}}","manifest":{"displayName":"{{{name}}}","clientType":"CLIENT_TYPE_CONFIDENTIAL","privileges":["documents:{{{collection}}}:read"]} }
            """)).Ok()["did"]!;
        var alice = _server.User();
        var id = (string)(await alice.CreateAsync($$"""{"collection":"{{collection}}","data":{} }"""))["id"]!;
        var app = new ApiUser(_server, did, _server.Sign(did, "documents:*:write", client: did));
        var forAlice = new ApiUser(_server, alice.Did, _server.Sign("did:web:vibe.test:users:bob", "documents:*:write", client: did));

        Assert.False((await app.GetAsync($"/v1/documents/{id}")).IsOk);
        using var waiting = await FollowAsync(app, collection);
        (await admin.PostAsync($"/v1/apps/{name}:approvePrivileges", $$"""{"privileges":["documents:{{collection}}:read"]}""")).Ok();
        Assert.Equal("ACCESS_CHANGED", await LostAsync(waiting));
        (await app.GetAsync($"/v1/documents/{id}")).Ok();
        Assert.Single((await app.GetAsync($"/v1/documents?collection={collection}&scope=ALL")).Ok()["documents"]!.AsArray());
        // For a person the app has no more than that person.
        Assert.False((await forAlice.GetAsync($"/v1/documents/{id}")).IsOk);

        using var stream = await FollowAsync(app, collection);
        var next = (string)(await alice.CreateAsync($$"""{"collection":"{{collection}}","data":{} }"""))["id"]!;
        Assert.Contains(next, await AddedAsync(stream, next));
        (await owner.PatchAsync($"/v1/apps/{name}?update_mask=manifest.privileges", """{"manifest":{"privileges":[]}}""")).Ok();
        Assert.Equal("ACCESS_CHANGED", await LostAsync(stream));
        Assert.False((await app.GetAsync($"/v1/documents/{id}")).IsOk);
    }

    private async Task<AsyncServerStreamingCall<SubscribeResponse>> FollowAsync(ApiUser user, string collection)
    {
        var call = new RealtimeService.RealtimeServiceClient(_server.Channel).Subscribe(
            new SubscribeRequest { Targets = { new Target { Collection = collection, Scope = DocumentScope.All, Initial = true } } },
            user.Metadata, TimeProvider.System.GetUtcNow().UtcDateTime + ApiServer.Bound);
        while (await call.ResponseStream.MoveNext(CancellationToken.None) && call.ResponseStream.Current.Ready is null)
        {
        }

        return call;
    }

    private static async Task<List<string>> AddedAsync(AsyncServerStreamingCall<SubscribeResponse> call, string last)
    {
        List<string> added = [];
        while (!added.Contains(last) && await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            added.AddRange(call.ResponseStream.Current.Batch?.Changes.SelectMany(static change => change.Added).Select(static document => document.Id) ?? []);
        }

        return added;
    }

    private static async Task<string> LostAsync(AsyncServerStreamingCall<SubscribeResponse> call)
    {
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            if (call.ResponseStream.Current.AccessLost is { } lost)
            {
                return lost.Reason;
            }
        }

        throw new InvalidOperationException("The stream ended without a word.");
    }
}
