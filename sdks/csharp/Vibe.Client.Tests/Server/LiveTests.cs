using Vibe.Client.Tests.Support;

namespace Vibe.Client.Tests.Server;

[Collection(ServerCollection.Name)]
public sealed class LiveTests(SharedServer server) : IAsyncLifetime
{
    private VibeClient _vibe = null!;
    private Collection<Note> _notes = null!;

    private sealed record Note(string Title, bool? Done = null);

    public async Task InitializeAsync()
    {
        _vibe = await server.Vibe.ClientAsync("live");
        _notes = _vibe.Collection<Note>(server.NewName("live"));
    }

    public Task DisposeAsync()
    {
        _vibe.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_list_follows_its_query()
    {
        var b = await _notes.WriteAsync(new Note("b"));
        await using var live = _notes.Where(n => n.Done != true).OrderBy(n => n.Title).LiveAsync().GetAsyncEnumerator();
        var first = await live.NextAsync();
        Assert.Equal(["b"], Titles(first));
        Assert.Empty(first.Changes);

        var a = await _notes.WriteAsync(new Note("a"));
        var second = await live.UntilAsync(static result => result.Documents.Count == 2);
        Assert.Equal(["a", "b"], Titles(second));
        Assert.Equal((ChangeKind.Added, a.Id), (second.Changes[0].Kind, second.Changes[0].Id));
        Assert.Same(first.Documents[0], second.Documents[1]);

        await _notes.WriteAsync(b.Id, new { title = "0" });
        Assert.Equal(["0", "a"], Titles(await live.UntilAsync(static result => result.Documents[0].Data.Title == "0")));
        await _notes.WriteAsync(a.Id, new { done = true });
        var last = await live.UntilAsync(static result => result.Documents.Count == 1);
        Assert.Equal((ChangeKind.Removed, a.Id, null), (last.Changes[0].Kind, last.Changes[0].Id, last.Changes[0].Document));
    }

    [Fact]
    public async Task A_query_without_documents_is_an_empty_list_at_first()
    {
        await using var live = _notes.LiveAsync().GetAsyncEnumerator();
        Assert.Empty((await live.NextAsync()).Documents);
    }

    [Fact]
    public async Task A_window_keeps_to_the_first_documents()
    {
        foreach (var title in (string[])["b", "c", "d"])
        {
            await _notes.WriteAsync(new Note(title));
        }

        await using var live = _notes.OrderBy(n => n.Title).Take(2).LiveAsync().GetAsyncEnumerator();
        Assert.Equal(["b", "c"], Titles(await live.NextAsync()));
        await _notes.WriteAsync(new Note("a"));
        Assert.Equal(["a", "b"], Titles(await live.UntilAsync(static result => result.Documents[0].Data.Title == "a" && result.Documents.Count == 2)));
    }

    [Fact]
    public async Task Changes_come_one_by_one_and_go_on_from_a_cursor()
    {
        var before = await _notes.WriteAsync(new Note("before"));
        var subscription = _notes.SubscribeAsync();
        string? cursor;
        await using (var changes = subscription.GetAsyncEnumerator())
        {
            var next = changes.UntilAsync(static change => change.Document?.Data.Title == "added");
            await subscription.Ready.WaitAsync(Waiting.Limit);
            var added = await _notes.WriteAsync(new Note("added"));
            Assert.Equal((ChangeKind.Added, added.Id), ((await next).Kind, (await next).Id));
            cursor = subscription.Cursor;
        }

        Assert.NotNull(cursor);
        await _notes.RemoveAsync(before.Id);
        var late = await _notes.WriteAsync(new Note("late"));
        await using var later = _notes.SubscribeAsync(new SubscribeOptions { Cursor = cursor }).GetAsyncEnumerator();
        Dictionary<string, ChangeKind> told = [];
        await later.UntilAsync(change =>
        {
            told[change.Id] = change.Kind;
            return told.ContainsKey(late.Id) && told.ContainsKey(before.Id);
        });
        Assert.Equal(ChangeKind.Removed, told[before.Id]);

        await Assert.ThrowsAsync<InvalidOperationException>(() => subscription.GetAsyncEnumerator().NextAsync());
        var broken = _notes.SubscribeAsync(new SubscribeOptions { Cursor = "no cursor" }).GetAsyncEnumerator();
        Assert.Equal("CURSOR_INVALID", (await Assert.ThrowsAsync<VibeException>(() => broken.NextAsync())).Reason);
    }

    [Fact]
    public async Task A_query_that_cannot_be_served_fails()
    {
        var live = _notes.Where("data.x =").LiveAsync().GetAsyncEnumerator();
        Assert.Equal("INVALID_ARGUMENT", (await Assert.ThrowsAsync<VibeException>(() => live.NextAsync())).Reason);
    }

    [Fact]
    public async Task It_ends_when_the_caller_leaves()
    {
        using var leave = new CancellationTokenSource();
        var live = _notes.LiveAsync(leave.Token).GetAsyncEnumerator(CancellationToken.None);
        await live.NextAsync();
        var next = live.NextAsync();
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    private static IEnumerable<string> Titles(LiveResult<Note> result) => result.Documents.Select(static note => note.Data.Title);
}
