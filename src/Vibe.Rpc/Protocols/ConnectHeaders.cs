using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>Request headers that all Connect calls have.</summary>
internal static class ConnectHeaders
{
    private const string ProtocolVersion = "Connect-Protocol-Version";
    private const string TimeoutMs = "Connect-Timeout-Ms";

    /// <summary>Checks the version and reads the timeout.</summary>
    public static TimeSpan? Open(IHeaderDictionary headers)
    {
        if (headers.TryGetValue(ProtocolVersion, out var version) && version != "1")
        {
            throw WireErrors.MalformedHeader(ProtocolVersion);
        }

        if (!headers.TryGetValue(TimeoutMs, out var text))
        {
            return null;
        }

        return RpcTimeout.TryParseConnect(text.ToString(), out var timeout) ? timeout : throw WireErrors.MalformedHeader(TimeoutMs);
    }
}
