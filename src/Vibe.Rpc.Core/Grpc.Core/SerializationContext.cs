using System.Buffers;

namespace Grpc.Core;

/// <summary>
/// Where a serializer puts its message. Either <see cref="Complete(byte[])"/> is called once, or the message is written to
/// <see cref="GetBufferWriter"/> and <see cref="Complete()"/> is called once.
/// </summary>
public abstract class SerializationContext
{
    /// <summary>Gives the whole message as one array, which the caller must not change afterwards.</summary>
    /// <param name="payload">The message.</param>
    public virtual void Complete(byte[] payload) => throw new NotSupportedException();

    /// <summary>The buffer to write the message to. Must not be mixed with <see cref="Complete(byte[])"/>.</summary>
    public virtual IBufferWriter<byte> GetBufferWriter() => throw new NotSupportedException();

    /// <summary>Says how many bytes will be written, which spares the transport a copy. Optional; call it before writing.</summary>
    /// <param name="payloadLength">The exact length in bytes.</param>
    public virtual void SetPayloadLength(int payloadLength)
    {
    }

    /// <summary>Says that the message has been written to <see cref="GetBufferWriter"/>.</summary>
    public virtual void Complete() => throw new NotSupportedException();
}

/// <summary>Where a deserializer finds its message.</summary>
public abstract class DeserializationContext
{
    /// <summary>The length of the message in bytes.</summary>
    public abstract int PayloadLength { get; }

    /// <summary>A copy of the message that the caller may keep.</summary>
    public virtual byte[] PayloadAsNewBuffer() => throw new NotSupportedException();

    /// <summary>The message in the transport's buffers, valid only until the deserializer returns.</summary>
    public virtual ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(PayloadAsNewBuffer());
}

/// <summary>Collects one message in an array.</summary>
internal sealed class ArraySerializationContext : SerializationContext
{
    private ArrayBufferWriter<byte>? _writer;
    private byte[]? _payload;
    private int? _length;

    public byte[] Payload => _payload ?? throw new InvalidOperationException("The serializer did not complete its message.");

    public override void SetPayloadLength(int payloadLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadLength);
        _length = payloadLength;
    }

    public override IBufferWriter<byte> GetBufferWriter() =>
        _writer ??= _length > 0 ? new ArrayBufferWriter<byte>(_length.Value) : new ArrayBufferWriter<byte>();

    public override void Complete(byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        _payload = payload;
    }

    public override void Complete() => _payload = _writer?.WrittenSpan.ToArray() ?? [];
}

/// <summary>Serves one message from an array.</summary>
internal sealed class ArrayDeserializationContext(byte[] payload) : DeserializationContext
{
    public override int PayloadLength => payload.Length;

    public override byte[] PayloadAsNewBuffer() => payload;

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(payload);
}
