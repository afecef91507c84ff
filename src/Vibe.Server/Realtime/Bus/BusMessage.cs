using System.Runtime.InteropServices;

namespace Vibe.Server.Realtime.Bus;

/// <summary>What nodes tell each other. Numbers are never used again: nodes of two versions may share a database.</summary>
internal enum BusKind : byte
{
    /// <summary>The sender lives.</summary>
    Alive = 1,

    /// <summary>The sender stops.</summary>
    Leaving = 2,

    /// <summary>A message of a channel.</summary>
    ChannelMessage = 10,

    /// <summary>Members of a channel are present, or have another state.</summary>
    ChannelPresent = 11,

    /// <summary>Members of a channel are not present any more.</summary>
    ChannelLeft = 12,

    /// <summary>Asks for the members of channels.</summary>
    ChannelAsk = 13,

    /// <summary>All members of one channel that the sender has.</summary>
    ChannelState = 14,

    /// <summary>An ask was answered.</summary>
    ChannelAnswered = 15,

    /// <summary>The sender tells all its channels again from here.</summary>
    ChannelAllBegin = 16,

    /// <summary>It has told all: what was not among it is gone.</summary>
    ChannelAllEnd = 17,

    /// <summary>A call that another node may be able to serve.</summary>
    Call = 20,

    /// <summary>The answer to a call.</summary>
    Answer = 21,
}

/// <summary>One message.</summary>
/// <param name="Kind">What it is; unknown ones are ignored.</param>
/// <param name="To">The only node it is for; null for all.</param>
/// <param name="Body">What it says.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct BusMessage(BusKind Kind, Guid? To, ReadOnlyMemory<byte> Body)
{
    /// <summary>About how many bytes it takes on the way.</summary>
    public int Bytes => 24 + Body.Length;
}

/// <summary>Takes part in the bus. Messages come one after the other, in order; nothing may wait. Thread-safe.</summary>
internal interface IBusListener
{
    /// <summary>A message for this node.</summary>
    /// <exception cref="IOException">The body is not what its kind says.</exception>
    void Receive(Guid from, BusKind kind, ReadOnlyMemory<byte> body);

    /// <summary>A node was heard for the first time, or again after it was lost.</summary>
    void PeerFound(Guid node);

    /// <summary>A node has left, or was silent for too long.</summary>
    void PeerLost(Guid node);

    /// <summary>Messages of this node or to it may have been lost: what nodes know of each other is to be told again.</summary>
    void Resumed();
}
