using Google.Protobuf;

namespace Vibe.Server.Realtime.Bus;

/// <summary>Writes the body of a bus message.</summary>
internal sealed class BusWriter : BinaryWriter
{
    private readonly MemoryStream _bytes;

    public BusWriter()
        : this(new MemoryStream())
    {
    }

    private BusWriter(MemoryStream bytes)
        : base(bytes) => _bytes = bytes;

    /// <summary>Adds an id.</summary>
    public BusWriter Add(Guid id)
    {
        Write(id.ToByteArray());
        return this;
    }

    /// <summary>Adds a text.</summary>
    public BusWriter Add(string text)
    {
        Write(text);
        return this;
    }

    /// <summary>Adds a small number.</summary>
    public BusWriter Add(byte number)
    {
        Write(number);
        return this;
    }

    /// <summary>Adds a message with its length.</summary>
    public BusWriter Add(IMessage message)
    {
        var bytes = message.ToByteArray();
        Write7BitEncodedInt(bytes.Length);
        Write(bytes);
        return this;
    }

    /// <summary>The message with this body.</summary>
    public BusMessage For(BusKind kind, Guid? to = null) => new(kind, to, _bytes.ToArray());
}

/// <summary>Reads the body of a bus message. What follows the fields that are asked for was added by a later version.</summary>
internal sealed class BusReader(ReadOnlyMemory<byte> body) : BinaryReader(new MemoryStream(body.ToArray(), writable: false))
{
    /// <summary>Whether nothing is left.</summary>
    public bool IsAtEnd => BaseStream.Position == BaseStream.Length;

    /// <summary>An id.</summary>
    public Guid ReadGuid() => new(ReadExactly(16));

    /// <summary>Bytes with their length before them.</summary>
    public ReadOnlyMemory<byte> ReadBlob() => ReadExactly(Read7BitEncodedInt());

    /// <summary>A message with its length before it.</summary>
    /// <exception cref="IOException">The bytes are no such message.</exception>
    public T ReadMessage<T>(MessageParser<T> parser)
        where T : IMessage<T> => parser.ParseFrom(ReadBlob().Span);

    private byte[] ReadExactly(int count)
    {
        var bytes = ReadBytes(Math.Max(0, count));
        return bytes.Length == count ? bytes : throw new EndOfStreamException();
    }
}
