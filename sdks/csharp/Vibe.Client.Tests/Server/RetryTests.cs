using System.Collections.Concurrent;
using Grpc.Core;
using Vibe.Client.Tests.Support;

namespace Vibe.Client.Tests.Server;

/// <summary>The real server behind a network that loses requests and answers.</summary>
[Collection(ServerCollection.Name)]
public sealed class RetryTests(SharedServer server)
{
    private sealed record Note(string Title);

    [Fact]
    public async Task A_write_whose_answer_is_lost_happens_once()
    {
        using var network = new LossyNetwork();
        using var vibe = await server.Vibe.ClientAsync("retry", options => options.HttpHandler = network);
        var notes = vibe.Collection<Note>(server.NewName("retry"));
        network.LoseAnswers(2);
        var note = await notes.WriteAsync(new Note("once"));
        Assert.Equal(3, network.Count("CreateDocument"));
        Assert.Equal(1, note.Revision);
        Assert.Equal(1, await notes.CountAsync());

        network.LoseAnswers(1);
        Assert.Equal(2, (await notes.WriteAsync(note.Id, new { title = "twice" })).Revision);
        network.LoseAnswers(1);
        await notes.RemoveAsync(note.Id);
        network.LoseAnswers(1);
        await vibe.BatchAsync(batch => batch.Write(notes.Name, new Note("in a batch")));
        Assert.Equal(1, await notes.CountAsync());
    }

    [Fact]
    public async Task Attempts_are_bounded_and_what_is_not_safe_is_sent_once()
    {
        using var network = new LossyNetwork();
        using var vibe = await server.Vibe.ClientAsync("retry", options => (options.HttpHandler, options.Attempts) = (network, 3));
        var notes = vibe.Collection<Note>("notes");
        network.LoseAnswers(100);
        var failure = await Assert.ThrowsAsync<VibeException>(() => notes.ReadOnceAsync());
        Assert.Equal((StatusCode.Unavailable, VibeException.Unreachable), (failure.StatusCode, failure.Reason));
        Assert.Equal(3, network.Count("ListDocuments"));

        // A sent message is heard, or not; twice would be another thing.
        await Assert.ThrowsAsync<VibeException>(async () => await vibe.Realtime.PublishMessageAsync(
            new() { Channel = "document:x", StreamId = Guid.NewGuid().ToString(), Payload = new() }));
        Assert.Equal(1, network.Count("PublishMessage"));
        network.LoseAnswers(0);
        Assert.Equal("DOCUMENT_NOT_FOUND", (await Assert.ThrowsAsync<VibeException>(() => notes.GetAsync(Guid.NewGuid().ToString()))).Reason);
        Assert.Equal(1, network.Count("GetDocument"));
    }

    [Fact]
    public async Task A_read_carries_what_was_written_before()
    {
        using var network = new LossyNetwork();
        using var vibe = await server.Vibe.ClientAsync("retry", options => options.HttpHandler = network);
        var notes = vibe.Collection<Note>(server.NewName("retry"));
        await notes.ReadOnceAsync();
        Assert.Equal([""], network.Consistency("ListDocuments"));
        await notes.WriteAsync(new Note("a"));
        await notes.ReadOnceAsync();
        var token = network.Consistency("ListDocuments")[1];
        Assert.NotEqual("", token);
        await notes.WriteAsync(new Note("b"));
        await notes.ReadOnceAsync();
        Assert.NotEqual(token, network.Consistency("ListDocuments")[2]);
        Assert.All(network.Consistency("CreateDocument"), static sent => Assert.Equal("", sent));
        await using var live = notes.LiveAsync().GetAsyncEnumerator();
        await live.NextAsync();
        Assert.Equal(network.Consistency("ListDocuments")[2], network.Consistency("Subscribe")[0]);
    }

    private sealed class LossyNetwork() : DelegatingHandler(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        private readonly ConcurrentQueue<(string Path, string Consistency)> _requests = [];
        private int _toLose;

        public void LoseAnswers(int count) => Volatile.Write(ref _toLose, count);

        public int Count(string method) => _requests.Count(request => request.Path.EndsWith(method, StringComparison.Ordinal));

        public List<string> Consistency(string method) =>
            [.. _requests.Where(request => request.Path.EndsWith(method, StringComparison.Ordinal)).Select(static request => request.Consistency)];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            _requests.Enqueue((request.RequestUri!.AbsolutePath,
                request.Headers.TryGetValues("vibe-consistency-token", out var sent) ? sent.Single() : ""));
            var response = await base.SendAsync(request, cancellationToken);
            if (Interlocked.Decrement(ref _toLose) < 0)
            {
                return response;
            }

            // The server has done its part.
            await response.Content.ReadAsByteArrayAsync(cancellationToken);
            response.Dispose();
            throw new HttpRequestException(HttpRequestError.ConnectionError, "The connection is gone.");
        }
    }
}
