using Vibe.Rpc;

namespace Vibe.RpcTest.V1;

/// <summary>The message that tests share among calls.</summary>
public sealed partial class ExpandResponse : ISharedMessage
{
    /// <inheritdoc/>
    public SharedBytes? Shared { get; set; }
}
