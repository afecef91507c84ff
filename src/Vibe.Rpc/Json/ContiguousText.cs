using System.Buffers;

namespace Vibe.Rpc.Json;

/// <summary>A sequence in one piece: as it is when it has one segment, else copied to rented memory.</summary>
internal readonly struct ContiguousText : IDisposable
{
    private readonly ReadOnlyMemory<byte> _text;
    private readonly byte[]? _rented;

    public ContiguousText(ReadOnlySequence<byte> text)
    {
        if (text.IsSingleSegment)
        {
            _text = text.First;
            return;
        }

        var length = checked((int)text.Length);
        _rented = ArrayPool<byte>.Shared.Rent(length);
        text.CopyTo(_rented);
        _text = _rented.AsMemory(0, length);
    }

    public ReadOnlySpan<byte> Span => _text.Span;

    public void Dispose()
    {
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
        }
    }
}
