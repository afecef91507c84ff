using Vibe.Postgres.Replication;
using Vibe.Server.Realtime.Feed;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>A change for one target.</summary>
/// <param name="Transaction">The transaction.</param>
/// <param name="Target">The target.</param>
/// <param name="Document">The version of the document that came of it.</param>
/// <param name="Kind">What it means to the target.</param>
internal readonly record struct TargetNews(ulong Transaction, LiveTarget Target, FeedDocument Document, ChangeKind Kind);

/// <summary>
/// One target of a stream. Until it is live, changes collect here; then they go to its stream. What the hub calls, it calls
/// under its gate.
/// </summary>
internal sealed class LiveTarget(Subscriber subscriber, TargetPlan plan)
{
    // What comes while the initial documents are sent. More than this, and catching up again is better than remembering.
    private const int MaxCollected = 50_000;

    private List<TargetNews>? _collected = [];
    private long _round;

    /// <summary>The stream.</summary>
    public Subscriber Subscriber { get; } = subscriber;

    /// <summary>What it asks for.</summary>
    public TargetPlan Plan { get; } = plan;

    /// <summary>Everything this sees was told before the target went live.</summary>
    public Snapshot? Base { get; private set; }

    /// <summary>
    /// A position of the feed: everything it sees has been told and was written to the client, or is among the initial documents.
    /// Null before the target began.
    /// </summary>
    public Snapshot? Told { get; set; }

    /// <summary>Not all of the initial documents were written to the client.</summary>
    public bool NeedsInitial { get; set; }

    /// <summary>The epoch that <see cref="Told"/> belongs to.</summary>
    public FeedEpoch? Epoch { get; set; }

    /// <summary>The window of a target with a limit.</summary>
    public TargetWindow? Window { get; set; }

    /// <summary>Whether the hub hands changes to it; the hub's to set.</summary>
    public bool IsAttached { get; set; }

    /// <summary>The client took it back, or it failed: what is still queued for it is not sent.</summary>
    public bool HasEnded { get; set; }

    /// <summary>What was collected is not all: more changed while the target was started than is kept, or the feed broke. Start again.</summary>
    public bool HasGap { get; private set; }

    /// <summary>Whether this is the first time that a change meets the target.</summary>
    public bool IsFirstOf(long round)
    {
        if (_round == round)
        {
            return false;
        }

        _round = round;
        return true;
    }

    /// <summary>Takes a change.</summary>
    /// <returns>Whether the stream has something new to send.</returns>
    public bool Offer(ulong transaction, FeedDocument document, ChangeKind kind)
    {
        if (_collected is null)
        {
            return Base?.Sees(transaction) != true && Subscriber.Offer(new TargetNews(transaction, this, document, kind));
        }

        if (_collected.Count >= MaxCollected)
        {
            LeaveGap();
        }
        else if (!HasGap)
        {
            _collected.Add(new TargetNews(transaction, this, document, kind));
        }

        return false;
    }

    /// <summary>Begins to collect, again if need be.</summary>
    public void Restart()
    {
        Subscriber.Forget(this);
        _collected = [];
        HasGap = false;
        Base = null;
    }

    /// <summary>What comes from here on does not follow what came before.</summary>
    public void LeaveGap()
    {
        HasGap = true;
        _collected?.Clear();
    }

    /// <summary>From here on changes go to the stream.</summary>
    /// <param name="told">What was told before.</param>
    /// <returns>What was collected and is still to be told.</returns>
    public List<TargetNews> GoLive(Snapshot told)
    {
        var collected = _collected ?? [];
        _collected = null;
        Base = told;
        collected.RemoveAll(news => told.Sees(news.Transaction));
        return collected;
    }
}
