using Vibe.Postgres.Replication;
using Vibe.Realtime.V1;
using Vibe.Server.Documents;
using Vibe.Server.Realtime.Subscriptions;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime.Safeguards;

/// <summary>
/// A stream of one target that a test serves itself, from the parts of the product, one step at a time: so that a step can be left
/// out, or come too early.
/// </summary>
internal sealed class StepwiseStream : IAsyncDisposable
{
    private readonly Node _node;
    private readonly TargetPlan _plan;
    private readonly Subscriber _subscriber;
    private readonly LiveTarget _target;
    private readonly FrameWriter _frames;
    private TaskCompletionSource _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="node">The server.</param>
    /// <param name="someone">Whose rights the server goes by.</param>
    /// <param name="target">What is followed.</param>
    /// <param name="earlier">A stream whose documents the client still has.</param>
    public StepwiseStream(Node node, Someone someone, Target target, Follower? earlier = null)
    {
        _node = node;
        _plan = TargetPlan.Read(target, "", someone.Caller);
        _subscriber = new Subscriber(someone.Caller, "", node.Options, TimeProvider.System);
        _subscriber.Update([_plan], []);
        _target = _subscriber.Targets[0];
        Client = new Follower(_subscriber, earlier);
        _frames = new FrameWriter(Client, someone.Caller);
        node.Hub.Add(_subscriber);
    }

    /// <summary>What the client has.</summary>
    public Follower Client { get; }

    /// <summary>Collects from the feed.</summary>
    public void Collect(Snapshot? since) => _node.Hub.Attach(_target, since);

    /// <summary>Sends what the database has.</summary>
    /// <returns>What was visible.</returns>
    public async Task<Snapshot> LookAsync(Someone someone, Target target)
    {
        var seen = await _node.Feed.ReadSnapshotAsync(CancellationToken.None);
        await _frames.WriteAsync(new TargetChange { Added = { await ModelCheck.QueryAsync(someone, target) } }, CancellationToken.None);
        return seen;
    }

    /// <summary>Sends what was missed since a cursor.</summary>
    /// <param name="someone">Whose rights the database goes by.</param>
    /// <param name="since">The cursor.</param>
    /// <param name="withLost">Whether also what left the caller's sight.</param>
    public async Task CatchUpAsync(Someone someone, Snapshot since, bool withLost)
    {
        var before = await _node.Feed.ReadSnapshotAsync(CancellationToken.None);
        await foreach (var missed in _node.Missed.ReadAsync(someone.Caller, _plan.Query.Collection, since, before, CancellationToken.None))
        {
            var change = new TargetChange();
            if (missed.Row is { DeleteTime: null } row)
            {
                change.Modified.Add(row.ToProto(_plan.Caller, _plan.Mask));
            }
            else if (missed.Row is not null || withLost)
            {
                change.Removed.Add(new RemovedDocument { Id = missed.Id.ToString() });
            }

            await _frames.WriteAsync(change, CancellationToken.None);
        }
    }

    /// <summary>Tells what was collected and goes on live; never catches up again.</summary>
    /// <param name="told">What was told already.</param>
    public async Task GoLiveAsync(Snapshot told)
    {
        List<TargetNews> collected = [];
        _node.Hub.BetweenTransactions(_ => collected = _target.GoLive(told));
        await _frames.WriteAsync(collected, CancellationToken.None);
        Client.Run(ServeAsync);
    }

    /// <summary>Waits until the stream has taken what waited for it, so that what comes from here on is not dropped.</summary>
    public async Task CaughtBreathAsync()
    {
        // The first of two turns may have begun before.
        for (var turn = 0; turn < 2; turn++)
        {
            var taken = Volatile.Read(ref _turn).Task;
            _subscriber.Wake();
            await taken.WaitAsync(Follower.Patience);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _node.Hub.Remove(_subscriber);
        await Client.DisposeAsync();
    }

    private async Task ServeAsync(CancellationToken drain, CancellationToken cancellationToken)
    {
        while (true)
        {
            var work = _subscriber.Take(wantsCheckpoint: false);
            Interlocked.Exchange(ref _turn, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
            await _frames.WriteAsync(work.News, cancellationToken);
            work.News.Clear();
            await _subscriber.WaitAsync(TimeSpan.FromSeconds(1));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
