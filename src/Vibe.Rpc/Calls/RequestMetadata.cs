using System.Collections.Frozen;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Calls;

/// <summary>Turns request headers into metadata.</summary>
internal static class RequestMetadata
{
    /// <summary>Headers that belong to the protocols and not to the application.</summary>
    private static readonly FrozenSet<string> ProtocolHeaders = new[]
    {
        "accept-encoding", "connect-accept-encoding", "connect-content-encoding", "connect-protocol-version", "connect-timeout-ms",
        "connection", "content-encoding", "content-length", "content-type", "grpc-accept-encoding", "grpc-encoding", "grpc-timeout",
        "host", "keep-alive", "te", "transfer-encoding", "upgrade",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static Metadata Read(IHeaderDictionary headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers)
        {
            if (name.StartsWith(':') || ProtocolHeaders.Contains(name))
            {
                continue;
            }

            foreach (var value in values)
            {
                if (!MetadataHeaders.TryAdd(metadata, name, value ?? ""))
                {
                    throw WireErrors.MalformedHeader(name);
                }
            }
        }

        return metadata;
    }
}
