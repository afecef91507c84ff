using System.Text.Json.Nodes;

namespace Vibe.Rpc.OpenApi;

/// <summary>The error body of REST calls.</summary>
internal static class OpenApiErrors
{
    /// <summary>The name of the schema.</summary>
    public const string SchemaName = "Error";

    public static JsonObject Response() => new()
    {
        ["description"] = "The call failed; the HTTP status follows from the canonical code.",
        ["content"] = new JsonObject
        {
            ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/" + SchemaName } },
        },
    };

    public static JsonObject Schema() => Object(new() { ["error"] = Status() }, "error");

    private static JsonObject Status() => Object(
        new()
        {
            ["code"] = new JsonObject { ["type"] = "integer", ["description"] = "The HTTP status." },
            ["status"] = new JsonObject
            {
                ["type"] = "string",
                ["description"] = "The canonical code (google.rpc.Code).",
                ["enum"] = new JsonArray(
                    "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
                    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
                    "DATA_LOSS", "UNAUTHENTICATED"),
            },
            ["message"] = new JsonObject { ["type"] = "string", ["description"] = "What went wrong, in English, for developers." },
            ["details"] = new JsonObject
            {
                ["type"] = "array",
                ["description"] = "Messages a program can act on: google.rpc.ErrorInfo with a reason, google.rpc.BadRequest with the fields.",
                ["items"] = Object(new() { ["@type"] = new JsonObject { ["type"] = "string" } }, "@type"),
            },
        },
        "code",
        "status",
        "message");

    private static JsonObject Object(JsonObject properties, params string[] required) => new()
    {
        ["type"] = "object",
        ["properties"] = properties,
        ["required"] = new JsonArray([.. required.Select(name => JsonValue.Create(name))]),
    };
}
