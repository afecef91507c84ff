namespace Vibe.Server.Realtime;

/// <summary>Settings of live queries, from <c>Vibe:Realtime</c>.</summary>
internal sealed record RealtimeOptions
{
    /// <summary>Where they stand in the configuration.</summary>
    public const string Section = "Vibe:Realtime";

    /// <summary>
    /// How the server learns what was committed. Default: by replication where the database allows it, else by polling; which one
    /// is settled when the server starts.
    /// </summary>
    public FeedKind Feed { get; init; } = FeedKind.Auto;

    /// <summary>Targets of one stream at a time. Default 100.</summary>
    public int MaxTargets { get; init; } = 100;

    /// <summary>Streams that one caller has on this node; visitors of one network count as one. Default 1,000.</summary>
    public int MaxStreams { get; init; } = 1000;

    /// <summary>
    /// What the targets of all these streams may say, in bytes of their binary form. Default 8 MiB: filters of 100 bytes in 1,000
    /// streams of 80 targets each.
    /// </summary>
    public int MaxTargetBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>What may wait for a slow client, in bytes of memory, before its stream falls back to catching up. Default 4 MiB.</summary>
    public int MaxQueuedBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>How long a stream stays silent before it repeats its cursor. Default 15 seconds.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The shortest time between two cursors told on one stream; a busy one repeats at most so much when it resumes. Default 1 second.</summary>
    public TimeSpan CheckpointPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest time between two heartbeats of the feed. Default 1 second.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How soon after a change a heartbeat follows, so that clients get a cursor. Default 50 milliseconds.</summary>
    public TimeSpan HeartbeatAfterChange { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a stream that begins waits for a feed that is not live, or lags behind its consistency token. Default 10 seconds.</summary>
    public TimeSpan FeedPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Memory for the latest changes, from which streams start and resume without asking the database. Default 64 MiB.</summary>
    public long RingBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Queries that starting and resuming streams make at a time, out of the connections of all requests. Default 8.</summary>
    public int MaxCatchUpQueries { get; init; } = 8;

    /// <summary>
    /// How long tombstones and past access rules are kept, and so how old a cursor may be. Default 30 days.
    /// </summary>
    public TimeSpan TombstoneLifetime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Changes that a resuming target reads from the database before it has to start over. Default 1,000,000.</summary>
    public int MaxCatchUp { get; init; } = 1_000_000;
}

/// <summary>How the server learns what was committed.</summary>
internal enum FeedKind
{
    /// <summary>By replication where it is possible, else by polling.</summary>
    Auto,

    /// <summary>From the log; without the right to read it there are no live queries.</summary>
    Replication,

    /// <summary>From the tables: later by some milliseconds, and dearer for the database.</summary>
    Polling,
}
