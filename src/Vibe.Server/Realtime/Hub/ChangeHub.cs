using Vibe.Postgres.Replication;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Subscriptions;

namespace Vibe.Server.Realtime.Hub;

/// <summary>
/// Where the feed meets the subscribers of this node. One transaction is looked at once, by one thread, and handed to the
/// streams it concerns; no stream ever asks the database what changed while it is live. Thread-safe.
/// </summary>
internal sealed class ChangeHub(RealtimeOptions options)
{
    private readonly Lock _gate = new();
    private readonly Routes _routes = new();
    private readonly ChangeRing _ring = new(options.RingBytes);
    private readonly HashSet<Subscriber> _subscribers = [];
    private readonly List<LiveTarget> _found = [];
    private readonly List<Subscriber> _touched = [];
    private TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _confirmed;
    private long _round;

    /// <summary>The latest cursor position: everything it sees has been handed to the streams. Null while the feed is not live.</summary>
    public Snapshot? Confirmed { get; private set; }

    /// <summary>The epoch of the feed; null until it was live for the first time.</summary>
    public FeedEpoch? Epoch { get; private set; }

    /// <summary>Who else looks at every change.</summary>
    public IChangeWatcher? Watcher { get; set; }

    /// <summary>How many streams there are.</summary>
    public int SubscriberCount
    {
        get
        {
            lock (_gate)
            {
                return _subscribers.Count;
            }
        }
    }

    /// <summary>Completes when the feed is live.</summary>
    public Task WhenLiveAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _ready.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Completes when <see cref="Confirmed"/> sees a transaction: it has been handed out, and whoever starts now finds it.</summary>
    public async Task WhenSeenAsync(ulong transaction, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task next;
            lock (_gate)
            {
                if (Confirmed?.Sees(transaction) == true)
                {
                    return;
                }

                next = (_confirmed ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await next.WaitAsync(cancellationToken);
        }
    }

    /// <summary>The feed has no gap from here on.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="snapshot">A heartbeat that came back.</param>
    public void Open(FeedEpoch epoch, Snapshot snapshot)
    {
        lock (_gate)
        {
            Epoch = epoch;
            Confirm(snapshot);
            _ready.TrySetResult();
            Watcher?.Reopened();
        }
    }

    /// <summary>The feed broke: every stream catches up once it is live again.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _ring.Clear();
            Confirmed = null;
            if (_ready.Task.IsCompleted)
            {
                _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            foreach (var subscriber in _subscribers)
            {
                subscriber.FallBehind();
                foreach (var target in subscriber.Targets)
                {
                    target.LeaveGap();
                }
            }
        }
    }

    /// <summary>A heartbeat came back: everything it sees has been delivered.</summary>
    public void Confirm(Snapshot snapshot)
    {
        lock (_gate)
        {
            _ring.Confirm(snapshot);
            Confirmed = snapshot;
            _confirmed?.TrySetResult();
            _confirmed = null;
            foreach (var subscriber in _subscribers)
            {
                subscriber.Confirm();
            }
        }
    }

    /// <summary>A transaction was committed.</summary>
    public void Publish(CommittedChanges transaction)
    {
        lock (_gate)
        {
            _ring.Add(transaction);
            foreach (var change in transaction.Changes)
            {
                Watcher?.Changed(change.New);
                _round++;
                _found.Clear();
                _routes.Find(change, _found);

                foreach (var target in _found)
                {
                    if (target.IsFirstOf(_round) && target.Plan.KindOf(change) is { } kind
                        && target.Offer(transaction.Transaction, change.New, kind))
                    {
                        _touched.Add(target.Subscriber);
                    }
                }
            }

            foreach (var subscriber in _touched)
            {
                subscriber.CompleteTransaction();
            }

            _touched.Clear();
        }
    }

    /// <summary>Adds a stream.</summary>
    public void Add(Subscriber subscriber)
    {
        lock (_gate)
        {
            _subscribers.Add(subscriber);
        }
    }

    /// <summary>Removes a stream and its targets.</summary>
    public void Remove(Subscriber subscriber)
    {
        lock (_gate)
        {
            _subscribers.Remove(subscriber);
            foreach (var target in subscriber.Targets)
            {
                Remove(target);
            }
        }
    }

    /// <summary>
    /// Starts to collect what a target will have to be told: what is in the ring, and all that comes from here on.
    /// </summary>
    /// <param name="target">The target.</param>
    /// <param name="since">Where it goes on from; null when a snapshot of the database is taken after this call.</param>
    /// <returns>
    /// Where the feed stands, null when it is broken. And whether all that was missed is collected: not when <paramref name="since"/>
    /// lies before the ring; then the database must tell it.
    /// </returns>
    public (Snapshot? Position, bool IsComplete) Attach(LiveTarget target, Snapshot? since)
    {
        lock (_gate)
        {
            target.Restart();
            var missed = since is null ? null : _ring.After(since);
            foreach (var transaction in missed ?? _ring.After(null)!)
            {
                if (missed is not null && since!.Sees(transaction.Transaction))
                {
                    continue;
                }

                foreach (var change in transaction.Changes)
                {
                    if (target.Plan.KindOf(change) is { } kind)
                    {
                        target.Offer(transaction.Transaction, change.New, kind);
                    }
                }
            }

            if (!target.IsAttached)
            {
                _routes.Add(target);
                target.IsAttached = true;
            }

            return (Confirmed, missed is not null);
        }
    }

    /// <summary>Stops handing changes to a target.</summary>
    public void Detach(LiveTarget target)
    {
        lock (_gate)
        {
            Remove(target);
        }
    }

    /// <summary>Runs an action between two transactions.</summary>
    /// <param name="action">Takes the position of the feed.</param>
    public void BetweenTransactions(Action<Snapshot?> action)
    {
        lock (_gate)
        {
            action(Confirmed);
        }
    }

    private void Remove(LiveTarget target)
    {
        if (target.IsAttached)
        {
            _routes.Remove(target);
            target.IsAttached = false;
        }
    }
}
