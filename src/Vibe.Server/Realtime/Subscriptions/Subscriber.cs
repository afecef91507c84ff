using Grpc.Core;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>
/// One Subscribe stream: its targets, and what waits to be sent. What the hub calls is short and never blocks; the stream's own
/// loop is <see cref="SubscriberLoop"/>. A client that is too slow is not waited for: what waits is dropped, and the loop
/// catches up from the last cursor the client got.
/// </summary>
internal sealed class Subscriber(Caller caller, string streamId, RealtimeOptions options) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly Dictionary<uint, LiveTarget> _targets = [];

    private List<TargetNews> _transaction = [];
    private Queue<IReadOnlyList<TargetNews>> _queue = new();
    private List<LiveTarget> _starting = [];
    private List<LiveTarget> _ended = [];
    private long _queuedBytes;
    private bool _isBehind;
    private bool _wantsCheckpoint;

    /// <summary>Whose stream it is.</summary>
    public Caller Caller { get; } = caller;

    /// <summary>The client's id for it; empty when it has none.</summary>
    public string StreamId { get; } = streamId;

    /// <summary>The targets at this moment.</summary>
    public IReadOnlyList<LiveTarget> Targets
    {
        get
        {
            lock (_gate)
            {
                return [.. _targets.Values];
            }
        }
    }

    /// <summary>Takes news for one target; the hub calls it, and <see cref="CompleteTransaction"/> after the last one.</summary>
    /// <returns>Whether it is the first of its transaction.</returns>
    public bool Offer(TargetNews news)
    {
        if (_isBehind)
        {
            return false;
        }

        _transaction.Add(news);
        return _transaction.Count == 1;
    }

    /// <summary>The transaction is complete.</summary>
    public void CompleteTransaction()
    {
        lock (_gate)
        {
            if (_isBehind)
            {
                _transaction.Clear();
                return;
            }

            foreach (var news in _transaction)
            {
                _queuedBytes += news.Document.Bytes;
            }

            _queue.Enqueue(_transaction);
            _transaction = [];
            if (_queuedBytes > options.MaxQueuedBytes)
            {
                Drop();
            }
        }

        Signal();
    }

    /// <summary>What waits is void: the loop has to catch up.</summary>
    public void FallBehind()
    {
        lock (_gate)
        {
            Drop();
        }

        Signal();
    }

    /// <summary>The feed got on: there may be a cursor to tell.</summary>
    public void Confirm()
    {
        if (Volatile.Read(ref _wantsCheckpoint))
        {
            Signal();
        }
    }

    /// <summary>Adds and removes targets.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT: too many targets; nothing is changed then.</exception>
    public void Update(IReadOnlyList<TargetPlan> added, IReadOnlyCollection<uint> removed)
    {
        lock (_gate)
        {
            var ids = _targets.Keys.Except(removed).Union(added.Select(static plan => plan.Id)).Count();
            if (ids > options.MaxTargets)
            {
                throw RealtimeErrors.TooManyTargets("add", options.MaxTargets);
            }

            foreach (var id in removed.Concat(added.Select(static plan => plan.Id)))
            {
                if (_targets.Remove(id, out var target))
                {
                    target.HasEnded = true;
                    _ended.Add(target);
                }
            }

            foreach (var plan in added)
            {
                var target = new LiveTarget(this, plan);
                _targets.Add(plan.Id, target);
                _starting.Add(target);
            }
        }

        Signal();
    }

    /// <summary>Ends one target from inside.</summary>
    public void End(LiveTarget target)
    {
        lock (_gate)
        {
            target.HasEnded = true;
            if (_targets.GetValueOrDefault(target.Plan.Id) == target)
            {
                _targets.Remove(target.Plan.Id);
            }
        }
    }

    /// <summary>Takes what there is to do, and leaves nothing.</summary>
    public SubscriberWork Take(bool wantsCheckpoint)
    {
        lock (_gate)
        {
            var work = new SubscriberWork(_isBehind, _starting, _ended, _queue);
            _isBehind = false;
            _starting = [];
            _ended = [];
            _queue = new();
            _queuedBytes = 0;
            _wantsCheckpoint = wantsCheckpoint;
            return work;
        }
    }

    /// <summary>Asks to be woken when the feed gets on.</summary>
    public void WantCheckpoint() => Volatile.Write(ref _wantsCheckpoint, true);

    /// <summary>Waits until there is something to do.</summary>
    /// <returns>False when the time is over.</returns>
    public Task<bool> WaitAsync(TimeSpan time, CancellationToken cancellationToken) => _signal.WaitAsync(time, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _signal.Dispose();

    private void Drop()
    {
        _isBehind = true;
        _queue.Clear();
        _queuedBytes = 0;
    }

    private void Signal()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // It has been told.
        }
        catch (ObjectDisposedException)
        {
            // The stream has ended.
        }
    }
}

/// <summary>What a stream has to do.</summary>
/// <param name="IsBehind">What was queued is gone: every target catches up.</param>
/// <param name="Starting">New targets.</param>
/// <param name="Ended">Targets to take from the hub.</param>
/// <param name="Transactions">What to send, in order.</param>
internal sealed record SubscriberWork(
    bool IsBehind, IReadOnlyList<LiveTarget> Starting, IReadOnlyList<LiveTarget> Ended, Queue<IReadOnlyList<TargetNews>> Transactions);
