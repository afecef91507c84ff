using System.Text.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using Vibe.Client.Tests.Support;
using Vibe.Documents.V1;
using Vibe.Errors.V1;

namespace Vibe.Client.Tests.Server;

[Collection(ServerCollection.Name)]
public sealed class DocumentsTests(SharedServer server) : IAsyncLifetime
{
    private VibeClient _vibe = null!;
    private Collection<Note> _notes = null!;

    private sealed record Place(string? City = null, string? Street = null);

    private sealed record Note(string Title, bool? Done = null, Place? Place = null, long? Count = null);

    public async Task InitializeAsync()
    {
        _vibe = await server.Vibe.ClientAsync("documents");
        _notes = _vibe.Collection<Note>(server.NewName("notes"));
    }

    public Task DisposeAsync()
    {
        _vibe.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_write_is_acknowledged_and_read_again()
    {
        var note = await _notes.WriteAsync(new Note("hello", Place: new Place("Porto", "Rua"), Count: 9_007_199_254_740_992));
        Assert.Equal(1, note.Revision);
        Assert.Equal(_notes.Name, note.Collection);
        Assert.InRange(note.CreateTime, DateTimeOffset.UnixEpoch, TimeProvider.System.GetUtcNow().AddDays(1));
        Assert.Equal(new Note("hello", Place: new Place("Porto", "Rua"), Count: 9_007_199_254_740_992), note.Data);
        Assert.DoesNotContain("done", note.Message.Data.Fields.Keys);

        var changed = await _notes.WriteAsync(note.Id, new { done = true, place = new { street = (string?)null } });
        Assert.Equal((2, new Note("hello", true, new Place("Porto"), 9_007_199_254_740_992)), (changed.Revision, changed.Data));
        Assert.DoesNotContain("street", changed.Message.Data.Fields["place"].StructValue.Fields.Keys);

        Assert.Equal(changed.Etag, (await _notes.GetAsync(note.Id)).Etag);
        await _notes.RemoveAsync(note.Id);
        Assert.Null(await _notes.FindAsync(note.Id));
        var failure = await Assert.ThrowsAsync<VibeException>(() => _notes.GetAsync(note.Id));
        Assert.True(failure.Is(ErrorReason.DocumentNotFound));
        Assert.Equal((StatusCode.NotFound, note.Id), (failure.StatusCode, failure.Metadata["id"]));
    }

    [Fact]
    public async Task A_document_with_a_key_is_made_and_then_replaced()
    {
        var first = await _notes.WriteAsync(new Note("one", true), new WriteOptions { Key = "only" });
        var second = await _notes.WriteAsync(new Note("two"), new WriteOptions { Key = "only", Etag = first.Etag });
        Assert.Equal((first.Id, 2, new Note("two")), (second.Id, second.Revision, second.Data));
        Assert.Equal(second.Etag, (await _notes.GetByKeyAsync("only")).Etag);
        var failure = await Assert.ThrowsAsync<VibeException>(() => _notes.WriteAsync(new Note("three"), new WriteOptions { Key = "only", Etag = first.Etag }));
        Assert.True(failure.Is(ErrorReason.EtagMismatch));
    }

    [Fact]
    public async Task A_client_chooses_the_id_of_a_new_document()
    {
        var id = Guid.CreateVersion7().ToString();
        Assert.Equal(id, (await _notes.WriteAsync(new Note("mine"), new WriteOptions { Id = id })).Id);
        var failure = await Assert.ThrowsAsync<VibeException>(() => _notes.WriteAsync(new Note("again"), new WriteOptions { Id = id }));
        Assert.True(failure.Is(ErrorReason.DocumentAlreadyExists));
    }

    [Fact]
    public async Task A_query_is_read_page_by_page()
    {
        foreach (var title in (string[])["a1", "b1", "a2", "a3", "b2"])
        {
            await _notes.WriteAsync(new Note(title, Done: title == "a3" ? true : null));
        }

        var query = _notes.Where(n => n.Done != true && n.Title.StartsWith("a")).OrderByDescending(n => n.Title);
        Assert.Equal(["a2", "a1"], (await query.ReadOnceAsync()).Documents.Select(static note => note.Data.Title));
        var page = await query.Take(1).ReadOnceAsync();
        Assert.Equal("a2", Assert.Single(page.Documents).Data.Title);
        Assert.Equal("a1", Assert.Single((await query.Take(1).ReadOnceAsync(page.NextPageToken)).Documents).Data.Title);

        List<string> all = [];
        await foreach (var note in _notes.OrderBy(n => n.Title).Take(2).ReadAllAsync())
        {
            all.Add(note.Data.Title);
        }

        Assert.Equal(["a1", "a2", "a3", "b1", "b2"], all);
        Assert.Equal(2, await query.CountAsync());
        Assert.Equal(5, await _notes.CountAsync());
    }

    [Fact]
    public async Task A_batch_happens_together_or_not_at_all()
    {
        var comments = _vibe.Collection(server.NewName("comments"));
        var postId = "";
        var written = await _vibe.BatchAsync(batch =>
        {
            postId = batch.Write(_notes.Name, new Note("post"));
            batch.Write(comments.Name, new { text = "nice" }, new WriteOptions { Edges = [new Edge { Label = "comment_on", Target = postId }] });
        });
        Assert.Equal([postId, written[1].Id], written.Select(static document => document.Id));
        var post = await _notes.GetAsync(postId, expand: ["~comment_on"]);
        var comment = Assert.Single(post.Related);
        Assert.Equal(("~comment_on", written[1].Id, "nice"), (comment.Via, comment.Document.Id, (string?)comment.Document.Data["text"]));

        var failure = await Assert.ThrowsAsync<VibeException>(() => _vibe.BatchAsync(batch =>
        {
            batch.Write(_notes.Name, new Note("never"));
            batch.Change(postId, new { done = true }, new WriteOptions { Etag = "stale" });
        }));
        Assert.Equal(("ETAG_MISMATCH", "1"), (failure.Reason, failure.Metadata["index"]));
        Assert.Equal(1, await _notes.CountAsync());

        await _vibe.BatchAsync(batch =>
        {
            batch.Change(postId, new { done = true });
            batch.Remove(written[1].Id);
        });
        Assert.Equal(0, await comments.CountAsync());
        Assert.True((await _notes.GetAsync(postId)).Data.Done);
    }

    [Fact]
    public async Task Documents_of_others_are_seen_as_their_owner_allows()
    {
        using var other = await server.Vibe.ClientAsync("documents-other");
        var everyone = new AccessControl { Read = new AccessRule { Allow = { "*" } } };
        var shown = await _notes.WriteAsync(new Note("shown"), new WriteOptions { Acl = everyone });
        await _notes.WriteAsync(new Note("hidden"));
        var theirs = other.Collection<Note>(_notes.Name);
        Assert.Empty((await theirs.ReadOnceAsync()).Documents);
        Assert.Equal(shown.Id, Assert.Single((await theirs.Global().ReadOnceAsync()).Documents).Id);

        using var visitor = new VibeClient(server.Vibe.OtherUrl);
        Assert.Equal(shown.Id, Assert.Single((await visitor.Collection<Note>(_notes.Name).ReadOnceAsync()).Documents).Id);
        var failure = await Assert.ThrowsAsync<VibeException>(() => visitor.Collection<Note>(_notes.Name).WriteAsync(new Note("nobody")));
        Assert.True(failure.EndsSession);
        Assert.Equal("TOKEN_REQUIRED", failure.Reason);

        using var same = visitor.As(VibeCredentials.Token(await server.Vibe.TokenAsync("documents")));
        Assert.Equal(2, await same.Collection<Note>(_notes.Name).CountAsync());
    }

    [Fact]
    public async Task Errors_name_the_fields_that_break_rules()
    {
        var failure = await Assert.ThrowsAsync<VibeException>(() => _notes.Where("data.x =").ReadOnceAsync());
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_ARGUMENT", "filter"), (failure.StatusCode, failure.Reason, Assert.Single(failure.Fields).Field));
        var words = await Assert.ThrowsAsync<VibeException>(() => _notes.SearchAsync("hello"));
        Assert.Equal("TEXT_INDEX_REQUIRED", words.Reason);

        // The generated clients fail in the same way.
        var raw = await Assert.ThrowsAsync<VibeException>(async () => await _vibe.Documents.GetDocumentAsync(new() { Id = "no uuid" }));
        Assert.NotEqual("", raw.Reason);
    }

    [Fact]
    public async Task A_document_that_does_not_fit_the_type_fails_when_its_body_is_read()
    {
        await _vibe.Collection(_notes.Name).WriteAsync(new JsonObject { ["title"] = 5 });
        var found = Assert.Single((await _notes.ReadOnceAsync()).Documents);
        Assert.Throws<JsonException>(() => found.Data);
        Assert.Equal(5, (int?)found.As<JsonObject>().Data["title"]);
    }

    [Fact]
    public async Task A_call_that_is_cancelled_or_late_says_so()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _notes.ReadOnceAsync(cancellationToken: cancelled.Token));

        // Nobody answers at this address: it takes until the deadline to know.
        using var late = await server.Vibe.ClientAsync("documents", options => (options.Timeout, options.HttpHandler) = (TimeSpan.FromMilliseconds(50), new SilentHandler()));
        var failure = await Assert.ThrowsAsync<VibeException>(() => late.Collection<Note>("notes").ReadOnceAsync());
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
    }

    private sealed class SilentHandler : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            throw new InvalidOperationException();
        }
    }
}
