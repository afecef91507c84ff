using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Vibe.Documents.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>
/// Tells whether two requests with one request id are the same. Bodies count by their content: a client may write the keys
/// of an object in another order when it sends again.
/// </summary>
internal static class Fingerprint
{
    private static readonly JsonDocumentOptions BodyOptions = new() { MaxDepth = 128 };

    /// <summary>Reads the request id of a call; null when it has none.</summary>
    /// <param name="requestId">The request id.</param>
    /// <param name="copy">A copy of the request, whose request id is emptied and whose bodies may be changed.</param>
    /// <param name="documents">The documents in the copy.</param>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: the request id is no UUID.</exception>
    public static WriteRequest? Of(string requestId, Func<IMessage> copy, Func<IMessage, IEnumerable<Document>> documents)
    {
        if (requestId.Length == 0)
        {
            return null;
        }

        if (!Guid.TryParseExact(requestId, "D", out var id))
        {
            throw VibeError.InvalidField("requestId", "is not a UUID", "request.id");
        }

        var message = copy();
        foreach (var document in documents(message))
        {
            if (document.HasData)
            {
                document.Data = Canonical(DocumentBody.ToJson(document.Data, "document.data"));
            }
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(message.Descriptor.FullName));
        hash.AppendData(message.ToByteArray());
        return new WriteRequest(id, hash.GetHashAndReset());
    }

    /// <summary>JSON with the keys of every object in order.</summary>
    internal static ByteString Canonical(ReadOnlyMemory<byte> json)
    {
        var buffer = new ArrayBufferWriter<byte>(json.Length);
        using (var document = JsonDocument.Parse(json, BodyOptions))
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = 128, SkipValidation = true }))
        {
            Write(writer, document.RootElement);
        }

        return ByteString.CopyFrom(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in value.EnumerateObject().OrderBy(static property => property.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(property.Name);
                    Write(writer, property.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
