using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.OpenApi;

/// <summary>The JSON forms of the well-known types, which differ from those of ordinary messages.</summary>
internal static class WellKnownSchemas
{
    public static JsonObject? Find(MessageDescriptor message) => message.FullName switch
    {
        "google.protobuf.Timestamp" => new() { ["type"] = "string", ["format"] = "date-time" },
        "google.protobuf.Duration" => new() { ["type"] = "string", ["pattern"] = @"^-?[0-9]+(\.[0-9]{1,9})?s$" },
        "google.protobuf.FieldMask" => new() { ["type"] = "string" },
        "google.protobuf.Struct" => new() { ["type"] = "object", ["additionalProperties"] = true },
        "google.protobuf.Value" => [],
        "google.protobuf.ListValue" => new() { ["type"] = "array", ["items"] = new JsonObject() },
        "google.protobuf.Empty" => new() { ["type"] = "object" },
        "google.protobuf.Any" => new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["@type"] = new JsonObject { ["type"] = "string" } },
            ["required"] = new JsonArray("@type"),
            ["additionalProperties"] = true,
        },
        "google.protobuf.DoubleValue" => Nullable("number", "double"),
        "google.protobuf.FloatValue" => Nullable("number", "float"),
        "google.protobuf.Int64Value" => Nullable("string", "int64"),
        "google.protobuf.UInt64Value" => Nullable("string", "uint64"),
        "google.protobuf.Int32Value" => Nullable("integer", "int32"),
        "google.protobuf.UInt32Value" => Nullable("integer", "int64"),
        "google.protobuf.BoolValue" => Nullable("boolean"),
        "google.protobuf.StringValue" => Nullable("string"),
        "google.protobuf.BytesValue" => Nullable("string"),
        _ => null,
    };

    private static JsonObject Nullable(string type, string? format = null)
    {
        var result = new JsonObject { ["type"] = new JsonArray(type, "null") };
        if (format is not null)
        {
            result["format"] = format;
        }

        return result;
    }
}
