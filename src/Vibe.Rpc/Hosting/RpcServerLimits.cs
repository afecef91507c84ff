namespace Vibe.Rpc.Hosting;

/// <summary>
/// What one client, connection or call may take from the server. Every value has a default that is safe to expose;
/// <see cref="RpcLimitsExtensions.ConfigureRpcLimits"/> applies the connection limits to Kestrel, the rest are enforced per call.
/// </summary>
public sealed class RpcServerLimits
{
    /// <summary>Total size of the request line's and headers' names and values, in bytes. Default 32 KiB: a token, a proof and cookies fit.</summary>
    public int MaxRequestHeadersBytes { get; set; } = 32 * 1024;

    /// <summary>Number of request headers. Default 100.</summary>
    public int MaxRequestHeaderCount { get; set; } = 100;

    /// <summary>Length of an HTTP/1.1 request line in bytes. Default 16 KiB, because Connect GET carries the message in the URL.</summary>
    public int MaxRequestLineBytes { get; set; } = 16 * 1024;

    /// <summary>
    /// Concurrent calls on one HTTP/2 connection. Default 250: above the usual 100, so that a backend with long-lived streams
    /// does not queue its unary calls behind them, and low enough that one connection cannot take a node's memory
    /// (250 streams hold at most 250 × <see cref="MaxResponseBufferBytes"/> of unread answers). Clients that need more open
    /// another connection. Kestrel counts reset streams too and closes a connection that resets faster than they are cleaned up.
    /// </summary>
    public int MaxStreamsPerConnection { get; set; } = 250;

    /// <summary>Connections at a time; null for no limit. Default null: the load balancer or the process's file limit decides.</summary>
    public long? MaxConnections { get; set; }

    /// <summary>Unread response bytes that Kestrel buffers for one stream before writes wait. Default 64 KiB.</summary>
    public long MaxResponseBufferBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// Bytes that requests hold together while they arrive and are served, beyond 64 KiB of each, in all calls of the server: what
    /// would be more ends with RESOURCE_EXHAUSTED and is to be tried again after a second. Default 96 MiB: serving takes several times
    /// as much. Without it, a client that sends many large requests at once, or never their last byte, takes as much memory as it likes.
    /// </summary>
    public long MaxBufferedRequestBytes { get; set; } = 96 * 1024 * 1024;

    /// <summary>Time in which all request headers must arrive. Default 15 seconds.</summary>
    public TimeSpan RequestHeadersTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a connection without a call stays open. Default 2 minutes.</summary>
    public TimeSpan IdleConnectionTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Silence after which the server pings an HTTP/2 connection. Default 1 minute.</summary>
    public TimeSpan KeepAlivePingDelay { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Time in which a ping must be answered, or the connection is dropped. Default 20 seconds.</summary>
    public TimeSpan KeepAlivePingTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long a write may wait for the client to read before the stream is reset. Default 30 seconds;
    /// <see cref="Timeout.InfiniteTimeSpan"/> waits for ever.
    /// </summary>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long running calls may go on after the server was told to stop; then they end with UNAVAILABLE. Default 10 seconds.
    /// Keep it shorter than <c>HostOptions.ShutdownTimeout</c> (30 seconds), after which connections are cut.
    /// </summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
