using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.OpenApi;

/// <summary>JSON schemas of messages and enums, as the protobuf JSON mapping writes them. Collects what is referred to.</summary>
internal sealed class OpenApiSchemas(ProtoSchema schema)
{
    private readonly SortedDictionary<string, IDescriptor> _referred = new(StringComparer.Ordinal);

    /// <summary>The schema of a message: a reference, or the JSON form of a well-known type.</summary>
    public JsonObject Of(MessageDescriptor message)
    {
        if (WellKnownSchemas.Find(message) is { } wellKnown)
        {
            return wellKnown;
        }

        _referred.TryAdd(message.FullName, message);
        return Reference(message.FullName);
    }

    /// <summary>The schema of a field with its description and constraints.</summary>
    public JsonObject Of(FieldDescriptor field)
    {
        var result = field switch
        {
            { IsMap: true } => new JsonObject
            {
                ["type"] = "object",
                ["additionalProperties"] = OfElement(field.MessageType.FindFieldByNumber(2)),
            },
            { IsRepeated: true } => new JsonObject { ["type"] = "array", ["items"] = OfElement(field) },
            _ => OfElement(field),
        };
        OpenApiConstraints.Apply(field, result);
        Describe(field, result);
        return result;
    }

    /// <summary>All schemas that were referred to, and those they refer to, by name.</summary>
    public JsonObject Build()
    {
        var built = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal) { [OpenApiErrors.SchemaName] = OpenApiErrors.Schema() };

        // Building one may refer to more.
        while (_referred.FirstOrDefault(entry => !built.ContainsKey(entry.Key)) is { Key: not null } next)
        {
            built[next.Key] = next.Value is EnumDescriptor type ? Build(type) : Build((MessageDescriptor)next.Value);
        }

        return new(built.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value)));
    }

    private JsonObject OfElement(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Message or FieldType.Group => Of(field.MessageType),
        FieldType.Enum => Of(field.EnumType),
        FieldType.String => new() { ["type"] = "string" },
        FieldType.Bytes => new() { ["type"] = "string", ["contentEncoding"] = "base64" },
        FieldType.Bool => new() { ["type"] = "boolean" },
        FieldType.Float => new() { ["type"] = "number", ["format"] = "float" },
        FieldType.Double => new() { ["type"] = "number", ["format"] = "double" },
        FieldType.UInt32 or FieldType.Fixed32 => new() { ["type"] = "integer", ["format"] = "int64", ["minimum"] = 0 },
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => new() { ["type"] = "integer", ["format"] = "int32" },
        FieldType.UInt64 or FieldType.Fixed64 => new() { ["type"] = "string", ["format"] = "uint64" },
        _ => new() { ["type"] = "string", ["format"] = "int64" },
    };

    private JsonObject Of(EnumDescriptor type)
    {
        if (type.FullName == "google.protobuf.NullValue")
        {
            return new() { ["type"] = "null" };
        }

        _referred.TryAdd(type.FullName, type);
        return Reference(type.FullName);
    }

    private JsonObject Build(MessageDescriptor message)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var field in message.Fields.InFieldNumberOrder())
        {
            properties[field.JsonName] = Of(field);
            if (OpenApiConstraints.IsRequired(field))
            {
                required.Add((JsonNode)field.JsonName);
            }
        }

        var result = new JsonObject { ["type"] = "object" };
        AddDescription(result, schema.CommentOf(message));
        result["properties"] = properties;
        if (required.Count > 0)
        {
            result["required"] = required;
        }

        return result;
    }

    private JsonObject Build(EnumDescriptor type)
    {
        var result = new JsonObject
        {
            ["type"] = "string",
            ["enum"] = new JsonArray([.. type.Values.Select(value => JsonValue.Create(value.Name))]),
        };
        var values = type.Values
            .Select(value => (value.Name, Comment: schema.CommentOf(value)))
            .Where(value => value.Comment.Length > 0)
            .Select(value => $"- `{value.Name}`: {value.Comment.ReplaceLineEndings(" ")}");
        AddDescription(result, $"{schema.CommentOf(type)}\n\n{string.Join('\n', values)}".Trim());
        return result;
    }

    private void Describe(FieldDescriptor field, JsonObject result)
    {
        var parts = new List<string> { schema.CommentOf(field) };
        if (field.RealContainingOneof is { } oneof)
        {
            var others = oneof.Fields.Where(other => other != field).Select(other => $"`{other.JsonName}`");
            parts.Add($"Not together with {string.Join(", ", others)}.");
        }

        parts.AddRange(OpenApiConstraints.InWords(field));
        AddDescription(result, string.Join("\n\n", parts.Where(part => part.Length > 0)));

        // AIP-203: how the contract says who sets a field.
        if (schema.CommentOf(field).StartsWith("Output only.", StringComparison.Ordinal))
        {
            result["readOnly"] = true;
        }

        if (field.GetOptions() is { Deprecated: true })
        {
            result["deprecated"] = true;
        }
    }

    private static void AddDescription(JsonObject target, string description)
    {
        if (description.Length > 0)
        {
            target["description"] = description;
        }
    }

    private static JsonObject Reference(string name) => new() { ["$ref"] = "#/components/schemas/" + name };
}
