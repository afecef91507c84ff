using Grpc.Core;
using Grpc.Net.Client.Configuration;

namespace Grpc.Net.Client;

/// <summary>How a channel reaches its server. Read once, when the channel is made.</summary>
public sealed class GrpcChannelOptions
{
    /// <summary>Transport security and credentials of all calls; null means what the address's scheme says, without credentials.</summary>
    public ChannelCredentials? Credentials { get; set; }

    /// <summary>
    /// Sends call credentials over a connection without TLS as well. Off: such a call is refused with
    /// <see cref="InvalidOperationException"/>, since anyone on the way could read them.
    /// </summary>
    public bool UnsafeUseInsecureChannelCallCredentials { get; set; }

    /// <summary>The largest message to send, in bytes before compression; null means no limit, which is the default.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>The largest message to receive, in bytes after decompression; 4,194,304 (4 MB) by default, null means no limit.</summary>
    public int? MaxReceiveMessageSize { get; set; } = 4 * 1024 * 1024;

    /// <summary>Compresses requests with gzip. Off by default; responses may be compressed in any case.</summary>
    public bool CompressRequests { get; set; }

    /// <summary>
    /// The HTTP handler to send calls with; null means one made for gRPC. It must speak HTTP/2. The settings below do not apply to it.
    /// </summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Disposes <see cref="HttpHandler"/> with the channel. Off by default.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>How long to wait for a connection; 20 seconds by default.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Pings a connection with running calls after so long without data, so that a dead one is noticed and middleboxes keep it;
    /// 60 seconds by default, <see cref="Timeout.InfiniteTimeSpan"/> means never.
    /// </summary>
    public TimeSpan KeepAlivePingDelay { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long to wait for the answer to a ping before the connection counts as dead; 20 seconds by default.</summary>
    public TimeSpan KeepAlivePingTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Throws <see cref="OperationCanceledException"/> instead of <see cref="RpcException"/> when the caller cancelled the call.
    /// Off by default.
    /// </summary>
    public bool ThrowOperationCanceledOnCancellation { get; set; }

    /// <summary>Retries and other rules by method; null means none.</summary>
    public ServiceConfig? ServiceConfig { get; set; }

    /// <summary>The most attempts of a call whatever its retry policy says; 5 by default, null means no limit.</summary>
    public int? MaxRetryAttempts { get; set; } = 5;

    /// <summary>The clock of deadlines and back-off; the system's by default.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
