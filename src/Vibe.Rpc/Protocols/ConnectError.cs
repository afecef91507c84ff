using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Json;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Protocols;

/// <summary>Connect's error JSON. https://connectrpc.com/docs/protocol#error-end-stream</summary>
internal static class ConnectError
{
    /// <summary>Writes <c>{"code", "message", "details"}</c>.</summary>
    public static void Write(Utf8JsonWriter writer, Status status, Metadata? trailers, JsonCodec json)
    {
        writer.WriteStartObject();
        writer.WriteString("code"u8, status.StatusCode.ToConnectName());
        if (status.Detail.Length > 0)
        {
            writer.WriteString("message"u8, status.Detail);
        }

        if (ResponseMetadata.ReadDetails(trailers) is { Details.Count: > 0 } details)
        {
            writer.WriteStartArray("details"u8);
            foreach (var detail in details.Details)
            {
                WriteDetail(writer, detail, json);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    /// <summary>Writes the application's trailers as <c>"metadata": {"name": ["value"]}</c>, when there are any.</summary>
    public static void WriteMetadata(Utf8JsonWriter writer, Metadata? trailers)
    {
        var started = false;
        foreach (var values in (trailers ?? []).Where(ResponseMetadata.IsApplications).GroupBy(entry => entry.Key))
        {
            if (!started)
            {
                writer.WriteStartObject("metadata"u8);
                started = true;
            }

            writer.WriteStartArray(values.Key);
            foreach (var entry in values)
            {
                writer.WriteStringValue(MetadataHeaders.WireValue(entry));
            }

            writer.WriteEndArray();
        }

        if (started)
        {
            writer.WriteEndObject();
        }
    }

    private static void WriteDetail(Utf8JsonWriter writer, Any detail, JsonCodec json)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, detail.TypeUrl[(detail.TypeUrl.LastIndexOf('/') + 1)..]);
        writer.WriteString("value"u8, BinaryMetadata.Encode(detail.Value.Span));
        if (TryFormat(detail, json) is { } readable)
        {
            using (readable)
            {
                writer.WritePropertyName("debug"u8);
                writer.WriteRawValue(readable.WrittenSpan);
            }
        }

        writer.WriteEndObject();
    }

    private static PooledBuffer? TryFormat(Any detail, JsonCodec json)
    {
        if (!json.KnowsType(detail.TypeUrl))
        {
            return null;
        }

        var buffer = new PooledBuffer();
        try
        {
            json.Write(detail, buffer);
            return buffer;
        }
        catch (JsonCodecException)
        {
            // "debug" is a courtesy; the value above is what programs read.
            buffer.Dispose();
            return null;
        }
    }
}
