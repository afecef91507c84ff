using Vibe.Server.Realtime.Feed;

namespace Vibe.Server.Realtime.Hub;

/// <summary>Looks at what the feed delivers besides the live queries. Called between transactions; nothing may wait.</summary>
internal interface IChangeWatcher
{
    /// <summary>A document has another version, perhaps a tombstone.</summary>
    void Changed(FeedDocument version);

    /// <summary>The feed is live; before, changes may have been missed.</summary>
    void Reopened();
}
