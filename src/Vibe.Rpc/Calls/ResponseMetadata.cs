using System.Collections.Frozen;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Calls;

/// <summary>Turns metadata into response headers and trailers.</summary>
public static class ResponseMetadata
{
    /// <summary>Headers the protocols set themselves. An application's value would break the framing, so it is left out.</summary>
    private static readonly FrozenSet<string> Reserved = new[]
    {
        "connect-accept-encoding", "connect-content-encoding", "connection", "content-encoding", "content-length", "content-type",
        "date", "grpc-status-details-bin", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds the application's entries to headers or trailers.</summary>
    /// <param name="metadata">The entries; null for none. Names that the protocols or HTTP use themselves are left out.</param>
    /// <param name="headers">Where to.</param>
    /// <param name="prefix">What to put before each name.</param>
    internal static void AddTo(Metadata? metadata, IHeaderDictionary headers, string prefix = "")
    {
        if (metadata is null)
        {
            return;
        }

        foreach (var entry in metadata)
        {
            if (IsApplications(entry))
            {
                headers[prefix + entry.Key] = StringValues.Concat(headers[prefix + entry.Key], MetadataHeaders.WireValue(entry));
            }
        }
    }

    /// <summary>Whether the entry belongs to the application and may go over the wire.</summary>
    internal static bool IsApplications(Metadata.Entry entry) =>
        !Reserved.Contains(entry.Key)
        && !MetadataHeaders.IsReserved(entry.Key)
        && (entry.IsBinary || !entry.Value.AsSpan().ContainsAnyExceptInRange(' ', '~'));

    /// <summary>The error details in the trailers of a failed call.</summary>
    /// <param name="trailers">The call's trailers.</param>
    /// <returns>The details; null when there are none or they cannot be read.</returns>
    public static Google.Rpc.Status? ReadDetails(Metadata? trailers)
    {
        if (trailers?.Get(MetadataHeaders.StatusDetails) is not { } entry)
        {
            return null;
        }

        try
        {
            return Google.Rpc.Status.Parser.ParseFrom(entry.ValueBytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
