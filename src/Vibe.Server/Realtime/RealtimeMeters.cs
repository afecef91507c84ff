using System.Diagnostics.Metrics;

namespace Vibe.Server.Realtime;

/// <summary>What is counted of live queries. Labels are few and fixed: never a collection, a person or an address.</summary>
internal static class RealtimeMeters
{
    /// <summary>The name of the meter.</summary>
    public const string Name = "Vibe.Realtime";

    private static readonly Meter Meter = new(Name);

    /// <summary>Changes sent to clients, one for each document and stream.</summary>
    public static readonly Counter<long> Deliveries = Meter.CreateCounter<long>(
        "vibe.live.deliveries", "{change}", "Changes sent to live queries, one for each document and stream.");

    /// <summary>Targets that went on from a cursor: out of the node's memory, or by asking the database.</summary>
    public static readonly Counter<long> CatchUps = Meter.CreateCounter<long>(
        "vibe.live.catch_ups", "{target}", "Live queries that caught up, by where they read what they had missed: memory or database.");

    /// <summary>Streams whose client read too slowly: what waited was dropped, and they catch up.</summary>
    public static readonly Counter<long> FellBehind = Meter.CreateCounter<long>(
        "vibe.live.fell_behind", "{stream}", "Times a stream's client was too slow and has to catch up.");

    /// <summary>Times the feed broke.</summary>
    public static readonly Counter<long> FeedLosses = Meter.CreateCounter<long>(
        "vibe.feed.losses", "{loss}", "Times the change feed broke and was opened again.");

    /// <summary>Transactions that the feed told.</summary>
    public static readonly Counter<long> FeedTransactions = Meter.CreateCounter<long>(
        "vibe.feed.transactions", "{transaction}", "Transactions with changed documents that the feed told this node.");

    /// <summary>From the moment a heartbeat is written until it has come back through the feed.</summary>
    public static readonly Histogram<double> FeedDelay = Meter.CreateHistogram(
        "vibe.feed.delay", "s", "Time from a heartbeat's writing until it came back through the change feed.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30] });

    /// <summary>The value of the tag of <see cref="CatchUps"/> for what the node still had.</summary>
    public static readonly KeyValuePair<string, object?> FromMemory = new("vibe.source", "memory");

    /// <summary>The same for what the database was asked.</summary>
    public static readonly KeyValuePair<string, object?> FromDatabase = new("vibe.source", "database");

    /// <summary>Begins every count, so that what has not happened yet is a zero and not absent.</summary>
    public static void Zero()
    {
        Deliveries.Add(0);
        CatchUps.Add(0, FromMemory);
        CatchUps.Add(0, FromDatabase);
        FellBehind.Add(0);
        FeedLosses.Add(0);
        FeedTransactions.Add(0);
    }
}
