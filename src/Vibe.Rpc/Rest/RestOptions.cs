using Google.Protobuf;

namespace Vibe.Rpc.Rest;

/// <summary>Options of REST calls. Set them with <c>services.Configure&lt;RestOptions&gt;(…)</c>.</summary>
public sealed class RestOptions
{
    /// <summary>
    /// Silence after which a server-sent event stream sends a comment, so that proxies and clients can tell it from a dead one.
    /// Default 15 seconds; <see cref="Timeout.InfiniteTimeSpan"/> sends none. Starts when the response has: with its first message, or
    /// with the handler's headers.
    /// </summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// The id of a message in a server-sent event stream, which a browser that reconnects sends back as the header
    /// <c>Last-Event-ID</c> (metadata <c>last-event-id</c>). Null (default), or a null answer, sends none; so does an id with a line
    /// break or U+0000, which the format cannot hold.
    /// </summary>
    public Func<IMessage, string?>? EventId { get; set; }
}
