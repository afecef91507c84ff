using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime;

/// <summary>The ids that clients make for their streams.</summary>
internal static class StreamIds
{
    /// <summary>Checks the form of an id, which may be empty.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static string Check(string text) => text.Length == 0 || Guid.TryParseExact(text, "D", out _)
        ? text
        : throw VibeError.InvalidField("streamId", "is a UUID", "stream.id");
}
