using System.Runtime.InteropServices;
using Vibe.Postgres.Replication;

namespace Vibe.Server.Realtime.Feed;

/// <summary>Where a node learns what was committed: the database's log, or its tables.</summary>
internal interface IFeedSource
{
    /// <summary>What it is called in the log and by <c>vibe doctor</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Changes and positions for as long as the enumeration goes on. Whatever the first position does not see comes after it
    /// or has come before it; whatever a later position sees has come. A crash cannot hand out a transaction number again that
    /// a position sees.
    /// </summary>
    /// <exception cref="Vibe.Postgres.Sessions.DatabaseException">The database failed: there is a gap, begin anew.</exception>
    IAsyncEnumerable<FeedItem> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>One of the two.</summary>
/// <param name="Changes">What a transaction changed.</param>
/// <param name="Position">Where the feed stands.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct FeedItem(CommittedChanges? Changes, Snapshot? Position);
