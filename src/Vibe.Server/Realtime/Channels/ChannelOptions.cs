namespace Vibe.Server.Realtime.Channels;

/// <summary>Settings of channels, from <c>Vibe:Channels</c>.</summary>
internal sealed record ChannelOptions
{
    /// <summary>Members that one channel has on this node. Default 1,000.</summary>
    public int MaxMembers { get; init; } = 1000;

    /// <summary>Channels that one caller has joined on this node; visitors of one network count as one. Default 100.</summary>
    public int MaxChannels { get; init; } = 100;

    /// <summary>Messages and states a second of one member. Two seconds' worth may be saved up. Default 60.</summary>
    public int MemberRate { get; init; } = 60;

    /// <summary>The same for all members that a channel has on this node. Default 1,000.</summary>
    public int ChannelRate { get; init; } = 1000;

    /// <summary>Bytes of messages that may wait for a slow client before the oldest are dropped. Default 1 MiB.</summary>
    public int MaxQueuedBytes { get; init; } = 1024 * 1024;

    /// <summary>The longest silence of a stream. Default 10 seconds.</summary>
    public TimeSpan Ping { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a joining stream waits for other nodes to say who is present there. Default 1 second.</summary>
    public TimeSpan Gather { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A payload's size in bytes. Default 16 KiB.</summary>
    public int MaxPayloadBytes { get; init; } = 16 * 1024;

    /// <summary>A state's size in bytes. Default 4 KiB.</summary>
    public int MaxStateBytes { get; init; } = 4 * 1024;

    /// <summary>How long a state holds when its member does not say. Default 30 seconds.</summary>
    public TimeSpan DefaultLife { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest a state may hold. Default 60 seconds.</summary>
    public TimeSpan MaxLife { get; init; } = TimeSpan.FromSeconds(60);
}
