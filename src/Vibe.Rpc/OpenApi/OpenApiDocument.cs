using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.OpenApi;

/// <summary>
/// Describes the REST side of an API as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html), made from its public
/// descriptors: comments become descriptions, <c>google.api.http</c> becomes operations, <c>buf.validate</c> becomes constraints.
/// The same contract always gives the same bytes.
/// </summary>
public static class OpenApiDocument
{
    /// <summary>Makes the document.</summary>
    /// <param name="schema">The public descriptors. Without comments in them the document has no descriptions.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="InvalidOperationException">A method's <c>google.api.http</c> annotation is wrong.</exception>
    public static JsonObject Create(ProtoSchema schema, OpenApiOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(schema);
        options ??= new();

        var services = schema.Files
            .SelectMany(file => file.Services)
            .Where(service => options.IncludeService?.Invoke(service) ?? true)
            .OrderBy(service => service.FullName, StringComparer.Ordinal)
            .ToArray();
        var schemas = new OpenApiSchemas(schema);
        var operations = new OpenApiOperations(schema, schemas, options, services);

        var info = new JsonObject { ["title"] = options.Title, ["version"] = options.Version };
        if (options.Description is not null)
        {
            info["description"] = options.Description;
        }

        // Building paths and services is what collects the schemas, so it comes first.
        var paths = operations.Paths();
        var extension = new JsonArray([.. services.Select(service => operations.Describe(service))]);
        return new()
        {
            ["openapi"] = "3.1.1",
            ["info"] = info,
            ["servers"] = new JsonArray(new JsonObject { ["url"] = options.ServerUrl }),
            ["tags"] = new JsonArray([.. services.Select(service => Tag(schema, service))]),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas.Build(),
                ["responses"] = new JsonObject { ["Error"] = OpenApiErrors.Response() },
                ["securitySchemes"] = new JsonObject
                {
                    ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["bearerFormat"] = "JWT" },
                },
            },
            // What OpenAPI has no words for: methods that REST cannot call.
            ["x-services"] = extension,
        };
    }

    private static JsonObject Tag(ProtoSchema schema, ServiceDescriptor service)
    {
        var tag = new JsonObject { ["name"] = service.FullName };
        if (schema.CommentOf(service) is { Length: > 0 } comment)
        {
            tag["description"] = comment;
        }

        return tag;
    }
}
