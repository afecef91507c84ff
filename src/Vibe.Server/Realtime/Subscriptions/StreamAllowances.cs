using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>
/// What the live queries of each caller take of this node: so many streams, and so many bytes of what their targets say. Without it
/// one caller could fill the memory with streams that cost nothing to keep open. Thread-safe.
/// </summary>
internal sealed class StreamAllowances(RealtimeOptions options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Streams, long Bytes)> _taken = new(StringComparer.Ordinal);

    /// <summary>Takes a stream, until the result is disposed.</summary>
    /// <param name="caller">Whose it is.</param>
    /// <param name="network">Where a signed-out visitor comes from: all of one network are one caller.</param>
    /// <exception cref="Grpc.Core.RpcException">RESOURCE_EXHAUSTED, reason STREAM_LIMIT_REACHED.</exception>
    public StreamAllowance Open(Caller caller, string network)
    {
        var key = caller.Did ?? network;
        Change(key, streams: 1, bytes: 0);
        return new StreamAllowance(this, key);
    }

    /// <summary>Takes more, or gives back.</summary>
    internal void Change(string key, int streams, long bytes)
    {
        lock (_gate)
        {
            var taken = _taken.GetValueOrDefault(key);
            taken = (taken.Streams + streams, taken.Bytes + bytes);
            if (streams > 0 && taken.Streams > options.MaxStreams)
            {
                throw RealtimeErrors.TooManyStreams("streams of a caller", options.MaxStreams);
            }

            if (bytes > 0 && taken.Bytes > options.MaxTargetBytes)
            {
                throw RealtimeErrors.TooManyStreams("bytes that the targets of a caller say", options.MaxTargetBytes);
            }

            if (taken.Streams == 0)
            {
                _taken.Remove(key);
            }
            else
            {
                _taken[key] = taken;
            }
        }
    }
}

/// <summary>What one stream has taken. Not thread-safe.</summary>
internal sealed class StreamAllowance(StreamAllowances all, string key) : IDisposable
{
    private long _bytes;

    /// <summary>Says how many bytes the stream's targets take now.</summary>
    /// <exception cref="Grpc.Core.RpcException">RESOURCE_EXHAUSTED, reason STREAM_LIMIT_REACHED; nothing is changed then.</exception>
    public void Set(long bytes)
    {
        all.Change(key, streams: 0, bytes - _bytes);
        _bytes = bytes;
    }

    /// <inheritdoc/>
    public void Dispose() => all.Change(key, streams: -1, -_bytes);
}
