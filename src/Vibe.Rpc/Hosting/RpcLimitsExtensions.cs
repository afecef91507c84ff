using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Vibe.Rpc.Hosting;

/// <summary>Applies <see cref="RpcServerLimits"/> to Kestrel.</summary>
public static class RpcLimitsExtensions
{
    /// <summary>
    /// Sets Kestrel's connection, header and HTTP/2 limits. Body size and data rate stay as they are for ordinary endpoints;
    /// streaming calls lift them for themselves, because a silent subscription is not a slow-loris attack.
    /// </summary>
    /// <param name="kestrel">The server's options.</param>
    /// <param name="limits">The limits; null for the defaults.</param>
    public static KestrelServerOptions ConfigureRpcLimits(this KestrelServerOptions kestrel, RpcServerLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        limits ??= new();

        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestHeadersTotalSize = limits.MaxRequestHeadersBytes;
        kestrel.Limits.MaxRequestHeaderCount = limits.MaxRequestHeaderCount;
        kestrel.Limits.MaxRequestLineSize = limits.MaxRequestLineBytes;
        kestrel.Limits.MaxConcurrentConnections = limits.MaxConnections;
        kestrel.Limits.MaxResponseBufferSize = limits.MaxResponseBufferBytes;
        kestrel.Limits.RequestHeadersTimeout = limits.RequestHeadersTimeout;
        kestrel.Limits.KeepAliveTimeout = limits.IdleConnectionTimeout;
        kestrel.Limits.Http2.MaxStreamsPerConnection = limits.MaxStreamsPerConnection;
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = limits.MaxRequestHeadersBytes;
        kestrel.Limits.Http2.KeepAlivePingDelay = limits.KeepAlivePingDelay;
        kestrel.Limits.Http2.KeepAlivePingTimeout = limits.KeepAlivePingTimeout;
        return kestrel;
    }
}
