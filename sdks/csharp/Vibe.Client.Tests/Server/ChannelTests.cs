using Vibe.Client.Tests.Support;

namespace Vibe.Client.Tests.Server;

[Collection(ServerCollection.Name)]
public sealed class ChannelTests(SharedServer server)
{
    private sealed record Note(string Title);

    private sealed record State(string Name, bool Types = false);

    private sealed record Greeting(string Text);

    [Fact]
    public async Task Members_see_and_hear_each_other()
    {
        using var ann = await server.Vibe.ClientAsync("channel-ann");
        using var bob = await server.Vibe.ClientAsync("channel-bob");
        var name = await NewChannelAsync(ann);
        await using var here = await ann.JoinAsync<State, Greeting>(name);
        await using var there = await bob.JoinAsync<State, Greeting>(name);
        await using var heard = there.ReadAsync().GetAsyncEnumerator();

        await here.SetPresenceAsync(new State("Ann", Types: true));
        await heard.UntilAsync(_ => there.Members is [{ State: { Name: "Ann", Types: true } } member]
            && member.Id == here.MemberId && member.User.StartsWith("did:", StringComparison.Ordinal));

        await here.PublishAsync(new Greeting("to all"));
        var message = Assert.IsType<ChannelMessage<State, Greeting>>(await heard.UntilAsync(static next => next is ChannelMessage<State, Greeting>));
        Assert.Equal((here.MemberId, false, "to all"), (message.From, message.IsDirect, message.Payload.Text));
        await here.PublishAsync(new Greeting("to you"), there.MemberId);
        Assert.True(((ChannelMessage<State, Greeting>)await heard.UntilAsync(static next => next is ChannelMessage<State, Greeting>)).IsDirect);

        await here.SetPresenceAsync(null);
        await heard.UntilAsync(_ => there.Members is []);
        await here.SetPresenceAsync(new State("Ann"));
        await heard.UntilAsync(_ => there.Members is [_]);
        await here.DisposeAsync();
        await heard.UntilAsync(_ => there.Members is []);
    }

    [Fact]
    public async Task Who_may_not_join_is_told()
    {
        using var ann = await server.Vibe.ClientAsync("channel-ann");
        var failure = await Assert.ThrowsAsync<VibeException>(() => ann.JoinAsync<State, Greeting>($"document:{Guid.NewGuid()}"));
        Assert.Equal("CHANNEL_NOT_FOUND", failure.Reason);
    }

    [Fact]
    public async Task Who_may_no_longer_be_there_is_told()
    {
        using var ann = await server.Vibe.ClientAsync("channel-ann");
        using var bob = await server.Vibe.ClientAsync("channel-bob");
        var name = await NewChannelAsync(ann);
        await using var there = await bob.JoinAsync<State, Greeting>(name);
        await using var heard = there.ReadAsync().GetAsyncEnumerator();
        await ann.Collection<Note>("rooms").RemoveAsync(name["document:".Length..]);
        var failure = await Assert.ThrowsAsync<VibeException>(() => heard.UntilAsync(static _ => false));
        Assert.Equal("CHANNEL_NOT_FOUND", failure.Reason);
        Assert.Equal("", there.MemberId);
    }

    private static async Task<string> NewChannelAsync(VibeClient owner) => "document:" + (await owner.Collection<Note>("rooms").WriteAsync(
        new Note("room"), new WriteOptions { Acl = new() { Read = new() { Allow = { "users" } } } })).Id;
}
