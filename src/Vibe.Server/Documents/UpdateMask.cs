using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;

namespace Vibe.Server.Documents;

/// <summary>Which parts of a document an update sets or removes.</summary>
internal sealed class UpdateMask
{
    private static readonly JsonDocumentOptions BodyOptions = new() { MaxDepth = 128 };
    private static readonly ImmutableHashSet<string> Known = ["data", "acl", "edges"];

    private readonly List<MaskPath> _paths;

    private UpdateMask(List<MaskPath> paths) => _paths = paths;

    /// <summary>Reads a mask; null when there is none.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static UpdateMask? Read(IList<string> mask, string field) =>
        mask.Count == 0 ? null : new UpdateMask(MaskPaths.Read(mask, field, Known));

    /// <summary>Whether it names the part as a whole.</summary>
    public bool Has(string name) => _paths.Exists(path => path.Name == name && path.Keys.IsEmpty);

    /// <summary>Whether it names paths into the body.</summary>
    public bool HasPaths => _paths.Exists(static path => !path.Keys.IsEmpty);

    /// <summary>
    /// The changes to the body as <c>vibe.set_fields</c> takes them, <c>[[["a","b"],value],[["c"]]]</c>: the path takes its
    /// value in <paramref name="body"/>, or is removed when it has none there.
    /// </summary>
    public ReadOnlyMemory<byte> Changes(ReadOnlyMemory<byte> body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var document = JsonDocument.Parse(body, BodyOptions);
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = 160, SkipValidation = true });
        writer.WriteStartArray();
        foreach (var path in _paths.Where(static path => !path.Keys.IsEmpty))
        {
            writer.WriteStartArray();
            writer.WriteStartArray();
            foreach (var key in path.Keys)
            {
                writer.WriteStringValue(key);
            }

            writer.WriteEndArray();
            if (Find(document.RootElement, path.Keys) is { } value)
            {
                value.WriteTo(writer);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndArray();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static JsonElement? Find(JsonElement value, ImmutableArray<string> keys)
    {
        foreach (var key in keys)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(key, out value))
            {
                return null;
            }
        }

        return value;
    }
}
