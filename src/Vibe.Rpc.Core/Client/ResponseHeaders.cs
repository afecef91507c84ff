using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>Reads the headers and trailers of a gRPC response.</summary>
internal static class ResponseHeaders
{
    /// <summary>The status of a response that has no body to read: trailers only, or no gRPC at all. Null when there is a body.</summary>
    public static Status? ReadEarlyStatus(HttpResponseMessage response)
    {
        if (ReadStatus(response.Headers) is { } status)
        {
            return status;
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            var code = StatusCodeNames.FromHttpStatus(response.StatusCode);
            return new(code, $"The server answered HTTP {(int)response.StatusCode} without a grpc-status.");
        }

        if (response.Version.Major < 2)
        {
            return new(StatusCode.Internal, $"The server answered HTTP/{response.Version}; gRPC needs HTTP/2.");
        }

        var contentType = response.Content.Headers.ContentType?.MediaType;
        return IsGrpc(contentType)
            ? null
            : new(StatusCode.Unknown, $"The server answered with the content type \"{contentType}\", which is no gRPC.");
    }

    /// <summary>The status in headers or trailers; null when there is none.</summary>
    public static Status? ReadStatus(HttpHeaders headers)
    {
        if (Find(headers, MetadataHeaders.Status) is not { } text)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? new((StatusCode)code, PercentEncoding.Decode(Find(headers, MetadataHeaders.Message) ?? ""))
            : new(StatusCode.Unknown, "The server sent a grpc-status that is no number.");
    }

    /// <summary>Headers or trailers without those of the protocol. A <c>-bin</c> value that is not base64 is left out.</summary>
    public static Metadata ToMetadata(HttpHeaders headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers.NonValidated)
        {
            if (MetadataHeaders.IsReserved(name))
            {
                continue;
            }

            foreach (var value in values)
            {
                _ = MetadataHeaders.TryAdd(metadata, name, value);
            }
        }

        return metadata.Freeze();
    }

    /// <summary>The only or first value of a header; null when there is none.</summary>
    public static string? Find(HttpHeaders headers, string name)
    {
        if (!headers.NonValidated.TryGetValues(name, out var values))
        {
            return null;
        }

        foreach (var value in values)
        {
            return value;
        }

        return null;
    }

    private static bool IsGrpc(string? mediaType) =>
        mediaType is not null
        && mediaType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        && (mediaType.Length == "application/grpc".Length || mediaType["application/grpc".Length] == '+');
}
