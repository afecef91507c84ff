namespace Vibe.Postgres.Replication;

/// <summary>Something on the change feed, in the order of commits.</summary>
public abstract record FeedEvent;

/// <summary>One committed transaction, as far as it touched the tables of the publication.</summary>
/// <param name="Changes">Its changes in order; not empty.</param>
public sealed record FeedTransaction(IReadOnlyList<RowChange> Changes) : FeedEvent;

/// <summary>
/// A transactional message of <c>pg_logical_emit_message</c>, of a transaction that touched nothing else. Whatever was
/// visible to it precedes it on the feed.
/// </summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="Content">The content.</param>
public sealed record FeedMessage(string Prefix, ReadOnlyMemory<byte> Content) : FeedEvent;

/// <summary>One row before and after a change.</summary>
/// <param name="Table">The table's name, without its schema.</param>
/// <param name="Old">The row before; null for an insert.</param>
/// <param name="New">The row after; null for a delete.</param>
public sealed record RowChange(string Table, FeedRow? Old, FeedRow? New);
