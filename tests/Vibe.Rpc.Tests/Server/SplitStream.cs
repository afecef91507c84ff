using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Tests.Server;

/// <summary>Hands out its bytes up to a place, then the rest in pieces of <paramref name="chunk"/> bytes (0: at once).</summary>
internal sealed class SplitStream(byte[] bytes, int split, int chunk) : OneWayStream
{
    private int _at;

    public override bool CanRead => true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        var end = _at < split ? split : chunk == 0 ? bytes.Length : Math.Min(_at + chunk, bytes.Length);
        var count = Math.Min(buffer.Length, end - _at);
        bytes.AsMemory(_at, count).CopyTo(buffer);
        _at += count;
        return count;
    }
}
