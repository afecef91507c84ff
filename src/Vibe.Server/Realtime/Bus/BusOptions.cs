namespace Vibe.Server.Realtime.Bus;

/// <summary>Settings of what nodes tell each other, from <c>Vibe:Bus</c>.</summary>
internal sealed record BusOptions
{
    /// <summary>How often a node says that it lives. Default 2 seconds.</summary>
    public TimeSpan Alive { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The silence after which a node counts as gone, and this one's own connection as broken. Default 7 seconds.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(7);

    /// <summary>How long after it listens a node may expect to have heard of all others. Default 250 milliseconds.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long another node may take to answer a call. Default 2 seconds.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Bytes that may wait to be sent; messages of channels beyond are not passed to other nodes. Default 8 MiB.</summary>
    public int MaxQueuedBytes { get; init; } = 8 * 1024 * 1024;
}
