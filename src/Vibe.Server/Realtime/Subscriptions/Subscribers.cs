using System.Collections.Concurrent;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>The streams of this node that have an id, for those who change them. Thread-safe.</summary>
internal sealed class Subscribers
{
    private readonly ConcurrentDictionary<(string? Did, string? App, string StreamId), Subscriber> _streams = new();

    /// <summary>Adds a stream; one of the same id takes its place.</summary>
    public void Add(Subscriber subscriber)
    {
        if (subscriber.StreamId.Length > 0)
        {
            _streams[KeyOf(subscriber.Caller, subscriber.StreamId)] = subscriber;
        }
    }

    /// <summary>Removes a stream.</summary>
    public void Remove(Subscriber subscriber) =>
        _streams.TryRemove(KeyValuePair.Create(KeyOf(subscriber.Caller, subscriber.StreamId), subscriber));

    /// <summary>The stream of a user or app through an app; null when there is none here.</summary>
    public Subscriber? Find(string? did, string? app, string streamId) => _streams.GetValueOrDefault((did, app, streamId));

    // A signed-out visitor's stream is found by its id alone, which nobody can guess.
    private static (string? Did, string? App, string StreamId) KeyOf(Caller caller, string streamId) => (caller.Did, caller.App, streamId);
}
