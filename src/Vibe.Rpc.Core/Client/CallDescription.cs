using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>What one call asks for, the same for all its attempts.</summary>
internal sealed class CallDescription
{
    public CallDescription(GrpcChannel channel, IMethod method, string? host, in CallOptions options)
    {
        Route = channel.GetRoute(method);
        Host = host;
        Credentials = ChannelSecurity.Combine(channel, options.Credentials);
        Metadata = options.Headers is { Count: > 0 } headers ? [.. headers] : [];
        Compress = channel.Options.CompressRequests || Array.Exists(Metadata, AsksForGzip);
        WaitForReady = options.IsWaitForReady;
    }

    public MethodRoute Route { get; }

    public string? Host { get; }

    public IReadOnlyList<AsyncAuthInterceptor> Credentials { get; }

    /// <summary>A copy: the caller may go on with its metadata while retries read this.</summary>
    public Metadata.Entry[] Metadata { get; }

    public bool Compress { get; }

    public bool WaitForReady { get; }

    private static bool AsksForGzip(Metadata.Entry entry) =>
        entry.Key == RequestFactory.RequestEncoding && Gzip.Name.Equals(entry.Value, StringComparison.OrdinalIgnoreCase);
}
