namespace Vibe.Rpc.Listener;

/// <summary>Limits of the ports that serve HTTP/1.1 and HTTP/2 without TLS (<see cref="SharedListenerExtensions"/>).</summary>
public sealed class SharedListenerOptions
{
    /// <summary>
    /// How long a new connection may take until its first bytes tell its protocol. Default 10 s. Must be positive.
    /// Once they do, Kestrel's own keep-alive and header time-outs apply.
    /// </summary>
    public TimeSpan SilenceTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How many connections of one port may be silent at once. Default 1024, at least 1. One more closes the one that has
    /// been silent longest, so that a flood of silent connections cannot keep out a client that speaks.
    /// </summary>
    public int MaxSilentConnections { get; set; } = 1024;

    /// <summary>
    /// How many connections of one port may be open at once, whatever their protocol. Default null: no limit. At the limit the
    /// longest silent connection makes room; when none is silent the new one is closed.
    /// (<c>KestrelServerLimits.MaxConcurrentConnections</c> counts each protocol for itself and no silent connection.)
    /// </summary>
    public int? MaxConnections { get; set; }
}
