namespace Vibe.Rpc.Calls;

/// <summary>What a call has moved so far; cheap enough to count always, read only when somebody listens.</summary>
internal sealed class CallCounters
{
    public int MessagesReceived { get; set; }

    public int MessagesSent { get; set; }

    /// <summary>Bytes of received messages, uncompressed.</summary>
    public long BytesReceived { get; set; }

    /// <summary>Bytes of sent messages, uncompressed.</summary>
    public long BytesSent { get; set; }
}
