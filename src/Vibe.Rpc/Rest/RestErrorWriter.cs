using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Json;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Rest;

/// <summary>
/// Writes a failed call as Google's APIs do (https://cloud.google.com/apis/design/errors#http_mapping):
/// <c>{"error":{"code":404,"status":"NOT_FOUND","message":"…","details":[{"@type":"…",…}]}}</c>.
/// </summary>
internal sealed class RestErrorWriter(JsonCodec json)
{
    // A body of application/json is never read as HTML; the strict encoder would turn every quote and accent into \uXXXX.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the error without a line break.</summary>
    /// <param name="httpStatus">The HTTP status that says the same.</param>
    /// <param name="status">The status.</param>
    /// <param name="trailers">Where the details are; null for none.</param>
    /// <param name="output">Where to.</param>
    public void Write(int httpStatus, Status status, Metadata? trailers, IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, Options);
        writer.WriteStartObject();
        writer.WriteStartObject("error");
        writer.WriteNumber("code", httpStatus);
        writer.WriteString("status", status.StatusCode.ToCanonicalName());
        writer.WriteString("message", status.Detail);
        if (ResponseMetadata.ReadDetails(trailers) is { Details.Count: > 0 } details)
        {
            writer.WriteStartArray("details");
            foreach (var detail in details.Details)
            {
                WriteDetail(writer, detail);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void WriteDetail(Utf8JsonWriter writer, Any detail)
    {
        if (json.KnowsType(detail.TypeUrl))
        {
            using var buffer = new PooledBuffer();
            try
            {
                json.Write(detail, buffer);
                writer.WriteRawValue(buffer.WrittenMemory.Span, skipInputValidation: true);
                return;
            }
            catch (JsonCodecException)
            {
                // A detail that cannot be written must not hide the error itself.
            }
        }

        writer.WriteStartObject();
        writer.WriteString("@type", detail.TypeUrl);
        writer.WriteBase64String("value", detail.Value.Span);
        writer.WriteEndObject();
    }
}
