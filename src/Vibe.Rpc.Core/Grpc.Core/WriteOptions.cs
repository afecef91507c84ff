namespace Grpc.Core;

/// <summary>Hints for one write.</summary>
[Flags]
public enum WriteFlags
{
    /// <summary>No hint.</summary>
    None = 0,

    /// <summary>More messages follow at once: the message may wait in a buffer until then.</summary>
    BufferHint = 0x1,

    /// <summary>Do not compress the message, for example because it holds compressed data or a secret.</summary>
    NoCompress = 0x2,
}

/// <summary>How messages of a stream are written.</summary>
public class WriteOptions
{
    /// <summary>No hints.</summary>
    public static readonly WriteOptions Default = new();

    /// <summary>Makes options.</summary>
    /// <param name="flags">The hints.</param>
    public WriteOptions(WriteFlags flags = WriteFlags.None) => Flags = flags;

    /// <summary>The hints.</summary>
    public WriteFlags Flags { get; }
}
