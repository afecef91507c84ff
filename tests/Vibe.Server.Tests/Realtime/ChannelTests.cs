using Grpc.Core;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Channels;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>Who meets whom in a channel, on one node and on two.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ChannelTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    private readonly string _channel = $"app:room-{Guid.NewGuid():n}";

    [Fact]
    public async Task Members_of_two_nodes_hear_and_see_each_other()
    {
        await using var other = await host.StartNodeAsync(new RealtimeOptions());
        await using var alice = await host.Node.JoinAsync(host.Documents.User().Caller, _channel);
        await using var bob = await host.Node.JoinAsync(host.Documents.User().Caller, _channel);
        await alice.SetAsync("""{"typing":true}""");

        // What was there before the node had a member of the channel comes with the first frame.
        await using var carol = await other.JoinAsync(host.Documents.User().Caller, _channel);
        Assert.Equal("""{"typing":true}""", carol.Present[alice.MemberId]);
        await carol.SetAsync("""{"name":"carol"}""");
        await alice.SetAsync("""{"typing":false}""");
        foreach (var one in (Talker[])[alice, bob, carol])
        {
            await one.SeesAsync((alice, """{"typing":false}"""), (carol, """{"name":"carol"}"""));
        }

        await alice.PublishAsync("""{"n":1}""");
        await carol.HearsAsync("""{"n":1}""");
        await alice.PublishAsync("""{"offer":1}""", carol.MemberId);
        await alice.PublishAsync("""{"n":2}""");
        await carol.HearsAsync("""{"n":1}""", """{"offer":1}""", """{"n":2}""");
        await bob.HearsAsync("""{"n":1}""", """{"n":2}""");
        var direct = await carol.FrameAsync(static frame => frame.Message is { Direct: true });
        Assert.Equal(alice.MemberId, direct.Message.From);

        // Nobody hears themselves, and an answer by member id comes back across the nodes.
        await carol.PublishAsync("""{"answer":1}""", direct.Message.From);
        await alice.HearsAsync("""{"answer":1}""");

        await alice.DisposeAsync();
        await carol.SeesAsync((carol, """{"name":"carol"}"""));
    }

    [Fact]
    public async Task A_state_ends_with_its_time_unless_it_is_set_again()
    {
        await using var other = await host.StartNodeAsync(new RealtimeOptions());
        var user = host.Documents.User().Caller;
        await using var one = await host.Node.JoinAsync(user, _channel);
        await using var two = await host.Node.JoinAsync(user, _channel);
        await using var far = await other.JoinAsync(user, _channel);
        await two.SetAsync("{}", TimeSpan.FromMilliseconds(300));
        await two.SetAsync("{}", TimeSpan.FromSeconds(60));

        // With so long a life that however busy the machine is it is seen, and then with a short one.
        await one.SetAsync("""{"typing":true}""", TimeSpan.FromSeconds(60));
        await far.SeesAsync((one, """{"typing":true}"""), (two, "{}"));
        await one.SetAsync("""{"typing":true}""", TimeSpan.FromMilliseconds(300));
        await far.SeesAsync((two, "{}"));
        await two.SetAsync(null);
        await far.SeesAsync();
        await one.SeesAsync();
    }

    [Fact]
    public async Task A_documents_channel_is_for_those_who_may_read_it_and_as_long_as_they_may()
    {
        var (alice, bob) = (host.Documents.User(), host.Documents.User());
        var document = await alice.CreateAsync(host.Documents.Collection(), acl: Someone.Acl([bob.Did]));
        var channel = $"document:{document.Id}";
        await using var owner = await host.Node.JoinAsync(alice.Caller, channel);
        await using var reader = await host.Node.JoinAsync(bob.Caller, channel);
        await reader.SetAsync("{}");
        await owner.SeesAsync((reader, "{}"));

        // Other changes of the document end nothing.
        await alice.UpdateAsync(document.Id, """{"a":1}""");
        await alice.UpdateAsync(document.Id, acl: Someone.Acl(), mask: ["acl"]);
        Assert.Equal("CHANNEL_NOT_FOUND", (await reader.FrameAsync(static frame => frame.AccessLost is not null)).AccessLost.Reason);
        await reader.EndAsync();
        await owner.SeesAsync();
        Assert.Equal("STREAM_NOT_FOUND", (await CallFailure.Of(reader.PublishAsync("{}"))).Reason);

        await alice.DeleteAsync(document.Id);
        await owner.FrameAsync(static frame => frame.AccessLost is not null);
        await owner.EndAsync();
    }

    [Fact]
    public async Task A_channel_out_of_sight_answers_like_one_that_does_not_exist()
    {
        var (alice, bob) = (host.Documents.User(), host.Documents.User("documents:elsewhere:read"));
        var hidden = await alice.CreateAsync(host.Documents.Collection());
        var shared = await alice.CreateAsync(host.Documents.Collection(), acl: Someone.Acl([bob.Did]));
        var absent = Guid.CreateVersion7().ToString();
        var answers = new List<string>();
        foreach (var id in (string[])[hidden.Id, shared.Id, absent])
        {
            var bytes = await CallFailure.BytesOf(host.Node.JoinAsync(bob.Caller, $"document:{id}"));
            answers.Add(Convert.ToHexString(bytes).Replace(Convert.ToHexString(System.Text.Encoding.ASCII.GetBytes(id)), "id", StringComparison.Ordinal));
        }

        Assert.Single(answers.Distinct());
        Assert.Equal("CHANNEL_NOT_FOUND", (await CallFailure.Of(host.Node.JoinAsync(bob.Caller, $"document:{absent}"))).Reason);
        Assert.Equal("CHANNEL_NOT_FOUND", (await CallFailure.Of(host.Node.JoinAsync(host.Documents.Visitor().Caller, _channel))).Reason);
        Assert.Equal("channel", (await CallFailure.Of(host.Node.JoinAsync(bob.Caller, "room"))).Field);
    }

    [Fact]
    public async Task Users_of_two_apps_do_not_meet_in_a_channel_of_one_name()
    {
        await using var other = await host.StartNodeAsync(new RealtimeOptions());
        var (user, app) = (host.Documents.User().Caller, host.Documents.AppItself().Caller);
        await using var one = await host.Node.JoinAsync(user, _channel);
        await using var foreign = await host.Node.JoinAsync(app, _channel);
        await using var far = await other.JoinAsync(user, _channel);
        await using var foreignFar = await other.JoinAsync(app, _channel);
        await one.SetAsync("{}");
        await foreign.SetAsync("""{"app":2}""");
        await far.SeesAsync((one, "{}"));
        await foreignFar.SeesAsync((foreign, """{"app":2}"""));

        // A member of the other app cannot be reached by its id either.
        await one.PublishAsync("""{"to":"app"}""", foreign.MemberId);
        await one.PublishAsync("""{"to":"app"}""", foreignFar.MemberId);
        await foreign.PublishAsync("""{"n":1}""");
        await foreignFar.HearsAsync("""{"n":1}""");
        Assert.Empty(foreign.Messages);
        Assert.Single(foreign.Present);
    }

    [Fact]
    public async Task A_client_that_does_not_read_loses_the_oldest_messages_and_no_presence()
    {
        await using var node = await host.StartNodeAsync(new RealtimeOptions(), new ChannelOptions { MaxQueuedBytes = 2000 });
        var user = host.Documents.User().Caller;
        await using var slow = await node.JoinAsync(user, _channel);
        await using var one = await node.JoinAsync(user, _channel);
        await using var two = await node.JoinAsync(user, _channel);
        slow.Blocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        for (var n = 0; n < 60; n++)
        {
            await one.PublishAsync($$"""{"n":{{n}}}""");
        }

        for (var n = 0; n < 50; n++)
        {
            await two.SetAsync($$"""{"n":{{n}}}""");
        }

        await one.SetAsync("{}");
        await one.SetAsync(null);
        var blocked = slow.Blocked;
        slow.Blocked = null;
        blocked.SetResult();
        await slow.UntilAsync(() => slow.Messages is [.., """{"n":59}"""], () => $"heard {string.Join(", ", slow.Messages)}");
        await slow.SeesAsync((two, """{"n":49}"""));
        var lost = slow.Frames.Sum(static frame => frame.Dropped?.Count ?? 0);
        Assert.InRange(lost, 30, 59);
        Assert.Equal(60, lost + slow.Messages.Count);
    }

    [Fact]
    public async Task Who_sends_or_joins_too_much_is_told_the_limit()
    {
        await using var node = await host.StartNodeAsync(
            new RealtimeOptions(), new ChannelOptions { MemberRate = 1, MaxMembers = 2, MaxChannels = 2 });
        var user = host.Documents.User().Caller;
        await using var one = await node.JoinAsync(user, _channel);
        var refused = await RefusalAsync(one, perSecond: 1);
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.NotNull(Vibe.Rpc.RpcErrors.GetDetail<Google.Rpc.RetryInfo>(Vibe.Rpc.RpcErrors.GetRpcStatus(refused)!));
        Assert.Equal("payload", (await CallFailure.Of(one.PublishAsync($$"""{"a":"{{new string('a', 16 * 1024)}}"}"""))).Field);
        Assert.Equal("state", (await CallFailure.Of(one.SetAsync($$"""{"a":"{{new string('a', 4 * 1024)}}"}"""))).Field);
        Assert.Equal("timeToLive", (await CallFailure.Of(one.SetAsync("{}", TimeSpan.FromSeconds(61)))).Field);

        await using var two = await node.JoinAsync(host.Documents.User().Caller, _channel);
        Assert.Equal("CHANNEL_LIMIT_REACHED", (await CallFailure.Of(node.JoinAsync(host.Documents.User().Caller, _channel))).Reason);
        await using var elsewhere = await node.JoinAsync(user, $"{_channel}-2");
        Assert.Equal("CHANNEL_LIMIT_REACHED", (await CallFailure.Of(node.JoinAsync(user, $"{_channel}-3"))).Reason);
        await elsewhere.DisposeAsync();
        await using var again = await node.JoinAsync(user, $"{_channel}-3");
    }

    // Says one thing after the other: two seconds' worth, and what comes in addition while it does, are taken.
    private static async Task<RpcException> RefusalAsync(Talker talker, int perSecond)
    {
        var start = TimeProvider.System.GetTimestamp();
        for (var taken = 0; ; taken++)
        {
            Assert.InRange(taken, 0, (2 + TimeProvider.System.GetElapsedTime(start).TotalSeconds) * perSecond);
            try
            {
                await (taken % 2 == 0 ? talker.PublishAsync("{}") : talker.SetAsync("{}"));
            }
            catch (RpcException exception)
            {
                Assert.True(taken >= 2 * perSecond);
                return exception;
            }
        }
    }

    [Fact]
    public async Task A_revoked_grant_ends_the_membership_also_of_a_client_that_does_not_read()
    {
        var user = host.Documents.User().Caller;
        await using var stays = await host.Node.JoinAsync(user, _channel);
        await using var goes = await host.Node.JoinAsync(user with { Grant = "channels" }, _channel);
        await goes.SetAsync("{}");
        await stays.SeesAsync((goes, "{}"));
        goes.Blocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await stays.PublishAsync("{}");
        var now = TimeProvider.System.GetUtcNow();
        host.Node.Access.Apply(Revocation.OfGrant("channels") with { RevokeTime = now, ExpireTime = now.AddMinutes(1) });
        await stays.SeesAsync();
        Assert.Equal("STREAM_NOT_FOUND", (await CallFailure.Of(goes.PublishAsync("{}"))).Reason);
        goes.Blocked.SetResult();
        await goes.EndAsync();
        Assert.Equal("TOKEN_REVOKED", goes.Frames[^1].AccessLost.Reason);
    }

    [Fact]
    public async Task A_document_closed_while_the_feed_was_away_ends_the_membership()
    {
        var (alice, bob) = (host.Documents.User(), host.Documents.User());
        var document = await alice.CreateAsync(host.Documents.Collection(), acl: Someone.Acl([bob.Did]));
        await using var node = await host.StartNodeAsync(new RealtimeOptions());
        await using var owner = await node.JoinAsync(alice.Caller, $"document:{document.Id}");
        await using var reader = await node.JoinAsync(bob.Caller, $"document:{document.Id}");
        node.Hub.Watcher = null;
        await alice.UpdateAsync(document.Id, acl: Someone.Acl(), mask: ["acl"]);
        node.Channels.Reopened();
        Assert.Equal("CHANNEL_NOT_FOUND", (await reader.FrameAsync(static frame => frame.AccessLost is not null)).AccessLost.Reason);
        await owner.SetAsync("{}");
        await owner.SeesAsync((owner, "{}"));
    }
}
