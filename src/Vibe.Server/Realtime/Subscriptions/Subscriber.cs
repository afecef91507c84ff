using System.Runtime.InteropServices;
using Grpc.Core;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>
/// One Subscribe stream: its targets, and what waits to be sent. What the hub calls is short and never blocks; the stream's own
/// loop is <see cref="SubscriberLoop"/>. A client that is too slow is not waited for: what waits is dropped, and the loop
/// catches up from the last cursor the client got.
/// </summary>
/// <param name="caller">Whose it is.</param>
/// <param name="streamId">The client's id for it.</param>
/// <param name="options">The limits.</param>
/// <param name="time">The clock.</param>
/// <param name="allowance">What its targets are counted against; null for none.</param>
internal sealed class Subscriber(Caller caller, string streamId, RealtimeOptions options, TimeProvider time, StreamAllowance? allowance = null) : IDisposable
{
    // What a burst left behind is given back: most streams are quiet most of the time.
    private const int MaxKeptNews = 256;

    private readonly Lock _gate = new();
    private readonly StreamSignal _signal = new(time);
    private readonly List<TargetNews> _transaction = [];

    // The loop takes the one and leaves the other, which it has sent.
    private List<TargetNews> _queue = [];
    private List<TargetNews> _taken = [];
    private List<LiveTarget>? _starting;
    private List<LiveTarget>? _ended;
    private long _queuedBytes;
    private bool _isBehind;
    private bool _wantsCheckpoint;

    /// <summary>Whose stream it is.</summary>
    public Caller Caller { get; } = caller;

    /// <summary>The client's id for it; empty when it has none.</summary>
    public string StreamId { get; } = streamId;

    /// <summary>The targets at this moment.</summary>
    public IReadOnlyList<LiveTarget> Targets { get; private set; } = [];

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
            if (!_isBehind)
            {
                foreach (var news in _transaction)
                {
                    _queuedBytes += news.Document.Bytes;
                    _queue.Add(news);
                }

                if (_queuedBytes > options.MaxQueuedBytes)
                {
                    Drop();
                }
            }

            _transaction.Clear();
        }

        _signal.Set();
    }

    /// <summary>What waits is void: the loop has to catch up.</summary>
    public void FallBehind()
    {
        lock (_gate)
        {
            Drop();
        }

        _signal.Set();
    }

    /// <summary>
    /// The target starts again, which tells all that waits for it here: sent afterwards, it would undo newer versions.
    /// </summary>
    public void Forget(LiveTarget target)
    {
        lock (_gate)
        {
            _queue.RemoveAll(news =>
            {
                var isVoid = news.Target == target;
                _queuedBytes -= isVoid ? news.Document.Bytes : 0;
                return isVoid;
            });
        }
    }

    /// <summary>The feed got on: there may be a cursor to tell.</summary>
    public void Confirm()
    {
        if (Volatile.Read(ref _wantsCheckpoint))
        {
            _signal.Set();
        }
    }

    /// <summary>Adds and removes targets.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT: too many targets. STREAM_LIMIT_REACHED. Nothing is changed then.</exception>
    public void Update(IReadOnlyList<TargetPlan> added, IReadOnlyCollection<uint> removed)
    {
        lock (_gate)
        {
            HashSet<uint> leaving = [.. removed, .. added.Select(static plan => plan.Id)];
            List<LiveTarget> targets = [.. Targets.Where(target => !leaving.Contains(target.Plan.Id)), .. added.Select(plan => new LiveTarget(this, plan))];
            if (targets.Count > options.MaxTargets)
            {
                throw RealtimeErrors.TooManyTargets("add", options.MaxTargets);
            }

            allowance?.Set(targets.Sum(static target => (long)target.Plan.Bytes));
            foreach (var target in Targets.Except(targets))
            {
                target.HasEnded = true;
                (_ended ??= []).Add(target);
            }

            (_starting ??= []).AddRange(targets.Except(Targets));
            Targets = [.. targets];
        }

        _signal.Set();
    }

    /// <summary>Ends one target from inside.</summary>
    public void End(LiveTarget target)
    {
        lock (_gate)
        {
            target.HasEnded = true;
            Targets = [.. Targets.Where(other => other != target)];
        }
    }

    /// <summary>Takes what there is to do, and leaves nothing. The news are the caller's until it comes again.</summary>
    public SubscriberWork Take(bool wantsCheckpoint)
    {
        lock (_gate)
        {
            (_queue, _taken) = (_taken, _queue);
            _queue.Clear();
            if (_queue.Capacity > MaxKeptNews)
            {
                _queue.Capacity = 0;
            }

            var work = new SubscriberWork(_isBehind, _starting ?? [], _ended ?? [], _taken);
            _isBehind = false;
            _starting = null;
            _ended = null;
            _queuedBytes = 0;
            _wantsCheckpoint = wantsCheckpoint;
            return work;
        }
    }

    /// <summary>Asks to be woken when the feed gets on.</summary>
    public void WantCheckpoint() => Volatile.Write(ref _wantsCheckpoint, true);

    /// <summary>Wakes the loop.</summary>
    public void Wake() => _signal.Set();

    /// <summary>Waits until there is something to do, or for a time.</summary>
    public ValueTask WaitAsync(TimeSpan time) => _signal.WaitAsync(time);

    /// <inheritdoc/>
    public void Dispose() => _signal.Dispose();

    private void Drop()
    {
        RealtimeMeters.FellBehind.Add(_isBehind ? 0 : 1);
        _isBehind = true;
        _queue.Clear();
        _queuedBytes = 0;
    }
}

/// <summary>What a stream has to do.</summary>
/// <param name="IsBehind">What was queued is gone: every target catches up.</param>
/// <param name="Starting">New targets.</param>
/// <param name="Ended">Targets to take from the hub.</param>
/// <param name="News">What to send: whole transactions, in order.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SubscriberWork(
    bool IsBehind, IReadOnlyList<LiveTarget> Starting, IReadOnlyList<LiveTarget> Ended, List<TargetNews> News);
