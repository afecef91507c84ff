using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Google.Protobuf;

namespace Vibe.Server.Documents;

/// <summary>Which parts of a document to return. Id, collection, owner, revision and etag always come.</summary>
internal sealed class ReadMask
{
    /// <summary>Everything.</summary>
    public static readonly ReadMask All = new([]);

    private static readonly JsonDocumentOptions BodyOptions = new() { MaxDepth = 128 };

    private static readonly ImmutableHashSet<string> Known =
        ["id", "collection", "owner", "app", "key", "data", "acl", "edges", "create_time", "update_time", "revision", "etag"];

    private readonly HashSet<string> _names;
    private readonly Node? _body;

    private ReadMask(List<MaskPath> paths)
    {
        _names = [.. paths.Select(static path => path.Name)];
        if (paths.Exists(static path => path.Name == "data") && !paths.Exists(static path => path is { Name: "data", Keys.IsEmpty: true }))
        {
            _body = new Node();
            foreach (var path in paths.Where(static path => path.Name == "data"))
            {
                _body.Add(path.Keys);
            }
        }
    }

    /// <summary>Reads a mask; everything when it is empty.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static ReadMask Read(IList<string> mask, string field) => mask.Count == 0 ? All : new ReadMask(MaskPaths.Read(mask, field, Known));

    /// <summary>Whether a part is wanted.</summary>
    public bool Has(string name) => _names.Count == 0 || _names.Contains(name);

    /// <summary>The wanted part of a body.</summary>
    public ByteString Body(ReadOnlyMemory<byte> json)
    {
        if (_body is null)
        {
            return DocumentBody.ToWire(json);
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var document = JsonDocument.Parse(json, BodyOptions))
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = 128, SkipValidation = true }))
        {
            _body.Write(document.RootElement, writer);
        }

        return DocumentBody.ToWire(buffer.WrittenMemory);
    }

    // A node without children takes everything below it.
    private sealed class Node
    {
        private readonly Dictionary<string, Node> _children = new(StringComparer.Ordinal);
        private bool _whole;

        public void Add(ImmutableArray<string> keys)
        {
            var node = this;
            foreach (var key in keys)
            {
                if (!node._children.TryGetValue(key, out var child))
                {
                    node._children.Add(key, child = new Node());
                }

                node = child;
            }

            node._whole = true;
        }

        public void Write(JsonElement value, Utf8JsonWriter writer)
        {
            if (_whole || value.ValueKind != JsonValueKind.Object)
            {
                value.WriteTo(writer);
                return;
            }

            writer.WriteStartObject();
            foreach (var (key, child) in _children)
            {
                if (value.TryGetProperty(key, out var member) && (child._whole || member.ValueKind == JsonValueKind.Object))
                {
                    writer.WritePropertyName(key);
                    child.Write(member, writer);
                }
            }

            writer.WriteEndObject();
        }
    }
}
