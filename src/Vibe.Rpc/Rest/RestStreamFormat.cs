using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Vibe.Rpc.Rest;

/// <summary>How a stream of messages becomes text.</summary>
internal abstract class RestStreamFormat
{
    /// <summary>One JSON text per line.</summary>
    public static readonly RestStreamFormat NewlineDelimited = new Lines();

    /// <summary>Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).</summary>
    public static readonly RestStreamFormat ServerSentEvents = new Events();

    public abstract string ContentType { get; }

    /// <summary>What goes before the JSON of a message.</summary>
    public abstract ReadOnlySpan<byte> MessagePrefix { get; }

    /// <summary>What goes before the JSON of an error.</summary>
    public abstract ReadOnlySpan<byte> ErrorPrefix { get; }

    /// <summary>What goes after the JSON.</summary>
    public abstract ReadOnlySpan<byte> Suffix { get; }

    /// <summary>What says that the stream is alive; empty when the format has no such thing.</summary>
    public abstract ReadOnlySpan<byte> Heartbeat { get; }

    /// <summary>Chooses by the Accept header: events for a client that asks for them and does not prefer lines.</summary>
    public static RestStreamFormat Of(HttpRequest request)
    {
        if (request.Headers.Accept.Count == 0 || !MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted))
        {
            return NewlineDelimited;
        }

        double events = 0, lines = 0;
        foreach (var type in accepted)
        {
            var quality = type.Quality ?? 1;
            switch (type.MediaType.Value?.ToLowerInvariant())
            {
                case "text/event-stream":
                    events = quality;
                    break;
                case "application/x-ndjson":
                    lines = quality;
                    break;
            }
        }

        return events > 0 && events >= lines ? ServerSentEvents : NewlineDelimited;
    }

    private sealed class Lines : RestStreamFormat
    {
        public override string ContentType => "application/x-ndjson";

        public override ReadOnlySpan<byte> MessagePrefix => default;

        public override ReadOnlySpan<byte> ErrorPrefix => default;

        public override ReadOnlySpan<byte> Suffix => "\n"u8;

        public override ReadOnlySpan<byte> Heartbeat => default;
    }

    private sealed class Events : RestStreamFormat
    {
        public override string ContentType => "text/event-stream";

        public override ReadOnlySpan<byte> MessagePrefix => "data: "u8;

        public override ReadOnlySpan<byte> ErrorPrefix => "event: error\ndata: "u8;

        public override ReadOnlySpan<byte> Suffix => "\n\n"u8;

        public override ReadOnlySpan<byte> Heartbeat => ": ping\n\n"u8;
    }
}
