using Vibe.Client.Tests.Support;

namespace Vibe.Client.Tests.Server;

/// <summary>A server that is killed, behind a network that is cut: what is followed ends up as what is stored.</summary>
public sealed class RestartTests
{
    private sealed record Note(string Title);

    private sealed record State(string Name);

    [Fact]
    public async Task A_live_query_and_a_channel_outlive_the_server()
    {
        await using var server = await VibeServer.StartAsync();
        using var vibe = await server.ClientAsync("restart", static options =>
            (options.LongestPause, options.Timeout, options.Attempts) = (TimeSpan.FromMilliseconds(200), TimeSpan.FromMinutes(5), 10_000));
        var notes = vibe.Collection<Note>("notes");
        var first = await notes.WriteAsync(new Note("first"));
        await using var live = notes.OrderBy(n => n.Title).LiveAsync().GetAsyncEnumerator();
        var changes = notes.SubscribeAsync(new SubscribeOptions { Initial = true });
        await using var stream = changes.GetAsyncEnumerator();
        Assert.Equal(first.Id, (await stream.NextAsync()).Id);
        Assert.Single((await live.NextAsync()).Documents);
        await using var channel = await vibe.JoinAsync<State, State>($"document:{first.Id}");
        await channel.SetPresenceAsync(new State("here"));
        var member = channel.MemberId;

        for (var round = 0; round < 2; round++)
        {
            await server.KillAsync();

            // Sent while nobody answers, and acknowledged when somebody does: once.
            var title = $"round {round}";
            var write = notes.WriteAsync(new Note(title));
            await server.RestartAsync();
            var written = await write.WaitAsync(Waiting.Limit);
            Assert.Equal(round + 2, (await live.UntilAsync(result => result.Documents.Any(note => note.Data.Title == title))).Documents.Count);
            var change = await stream.UntilAsync(change => change.Id == written.Id);
            Assert.Equal((ChangeKind.Added, 1), (change.Kind, change.Document!.Revision));
        }

        Assert.Equal(3, await notes.CountAsync());
        await using var events = channel.ReadAsync().GetAsyncEnumerator();
        await events.UntilAsync(_ => channel.MemberId != member && channel.Members.Any(present => present.Id == channel.MemberId && present.State.Name == "here"));
    }
}
