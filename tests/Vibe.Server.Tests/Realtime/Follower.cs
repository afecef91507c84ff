using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Realtime.V1;
using Vibe.Server.Realtime.Subscriptions;

namespace Vibe.Server.Tests.Realtime;

/// <summary>
/// A client of one stream: keeps what the frames say, and nothing else. Wait for a state instead of for a time.
/// </summary>
internal sealed class Follower : IServerStreamWriter<SubscribeResponse>, IAsyncDisposable
{
    /// <summary>How long a state is waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _leave = new();
    private readonly CancellationTokenSource _drain = new();
    private readonly Dictionary<uint, Dictionary<string, Document>> _documents = [];
    private readonly List<SubscribeResponse> _frames = [];
    private readonly TaskCompletionSource _isBlocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    /// <param name="subscriber">The stream.</param>
    /// <param name="earlier">A stream whose documents the client still has.</param>
    public Follower(Subscriber subscriber, Follower? earlier)
    {
        Subscriber = subscriber;
        foreach (var (target, documents) in earlier?._documents ?? [])
        {
            _documents[target] = new(documents, StringComparer.Ordinal);
        }
    }

    public Subscriber Subscriber { get; }

    public WriteOptions? WriteOptions { get; set; }

    /// <summary>While set, the client does not read.</summary>
    public TaskCompletionSource? Blocked { get; set; }

    /// <summary>Waits until the server has a frame for a client that does not read.</summary>
    public Task BlockedAsync() => _isBlocked.Task.WaitAsync(Patience);

    /// <summary>The last cursor.</summary>
    public string Cursor { get; private set; } = "";

    /// <summary>All frames so far.</summary>
    public IReadOnlyList<SubscribeResponse> Frames
    {
        get
        {
            lock (_gate)
            {
                return [.. _frames];
            }
        }
    }

    /// <summary>Begins.</summary>
    /// <param name="loop">Serves the client until the server stops or the client leaves.</param>
    public void Run(Func<CancellationToken, CancellationToken, Task> loop) => _loop = loop(_drain.Token, _leave.Token);

    /// <summary>The server stops.</summary>
    public async Task DrainAsync()
    {
        await _drain.CancelAsync();
        await _loop.WaitAsync(Patience);
    }

    public Task WriteAsync(SubscribeResponse message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(SubscribeResponse message, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Blocked is { } blocked)
        {
            _isBlocked.TrySetResult();
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(_leave.Token, cancellationToken);
            await blocked.Task.WaitAsync(stop.Token);
        }

        lock (_gate)
        {
            _frames.Add(message);
            Fold(message);
            _news.TrySetResult();
        }
    }

    /// <summary>Waits until the server has ended the stream.</summary>
    public Task EndedAsync() => _loop.WaitAsync(Patience);

    /// <summary>The documents of a target: id and revision, in the order of ids.</summary>
    public IReadOnlyList<string> Documents(uint target = 0)
    {
        lock (_gate)
        {
            return _documents.TryGetValue(target, out var documents)
                ? [.. documents.Values.Select(static document => $"{document.Id} r{document.Revision}").Order(StringComparer.Ordinal)]
                : [];
        }
    }

    /// <summary>Waits until a target holds exactly these documents.</summary>
    public Task HoldsAsync(IEnumerable<Document> documents, uint target = 0)
    {
        var expected = documents.Select(static document => $"{document.Id} r{document.Revision}").Order(StringComparer.Ordinal).ToList();
        return UntilAsync(() => Documents(target).SequenceEqual(expected), () => $"expected {string.Join(", ", expected)}, has {string.Join(", ", Documents(target))}");
    }

    /// <summary>Waits until a target is ready.</summary>
    public Task ReadyAsync(uint target = 0) =>
        UntilAsync(() => Frames.Any(frame => frame.Ready?.TargetId == target), () => $"target {target} is not ready");

    /// <summary>Waits for a frame.</summary>
    public async Task<SubscribeResponse> FrameAsync(Func<SubscribeResponse, bool> wanted)
    {
        await UntilAsync(() => Frames.Any(wanted), () => $"no such frame among {Frames.Count}");
        return Frames.First(wanted);
    }

    /// <summary>Waits for a checkpoint after all that was sent so far.</summary>
    public async Task<string> CheckpointAsync()
    {
        var seen = Frames.Count;
        await UntilAsync(() => Frames.Skip(seen).Any(static frame => frame.Checkpoint is not null), () => "no checkpoint");
        return Cursor;
    }

    public async Task UntilAsync(Func<bool> condition, Func<string> problem)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (!condition())
        {
            Task news;
            lock (_gate)
            {
                news = _news.Task;
                if (news.IsCompleted)
                {
                    _news = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    continue;
                }
            }

            try
            {
                await Task.WhenAny(news, _loop).WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail(problem());
            }

            if (_loop.IsCompleted && !condition())
            {
                await _loop;
                Assert.Fail($"The stream has ended; {problem()}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _leave.CancelAsync();
        try
        {
            await _loop.WaitAsync(Patience);
        }
        catch (OperationCanceledException)
        {
            // The client left.
        }

        Subscriber.Dispose();
        _leave.Dispose();
        _drain.Dispose();
    }

    private void Fold(SubscribeResponse frame)
    {
        Cursor = frame.Ready?.Cursor ?? frame.Checkpoint?.Cursor ?? Cursor;
        foreach (var change in frame.Batch?.Changes ?? [])
        {
            if (!_documents.TryGetValue(change.TargetId, out var documents))
            {
                _documents.Add(change.TargetId, documents = new(StringComparer.Ordinal));
            }

            foreach (var document in change.Added.Concat(change.Modified))
            {
                documents[document.Id] = document;
            }

            foreach (var removed in change.Removed)
            {
                documents.Remove(removed.Id);
            }
        }
    }
}
