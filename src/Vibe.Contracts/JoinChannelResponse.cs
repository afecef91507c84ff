using Vibe.Rpc;

namespace Vibe.Realtime.V1;

/// <summary>A frame may go to thousands of streams.</summary>
public sealed partial class JoinChannelResponse : ISharedMessage
{
    /// <inheritdoc/>
    public SharedBytes? Shared { get; set; }
}
