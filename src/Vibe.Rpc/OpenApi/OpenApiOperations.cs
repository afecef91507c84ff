using System.Globalization;
using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Vibe.Rpc.Json;
using Vibe.Rpc.Rest;

namespace Vibe.Rpc.OpenApi;

/// <summary>The operations of a document: one for each HTTP binding of each method.</summary>
internal sealed class OpenApiOperations
{
    private readonly ProtoSchema _schema;
    private readonly OpenApiSchemas _schemas;
    private readonly OpenApiOptions _options;
    private readonly OpenApiParameters _parameters;
    private readonly Dictionary<MethodDescriptor, IReadOnlyList<HttpBinding>> _bindings;
    private readonly HashSet<string> _sharedNames;

    public OpenApiOperations(
        ProtoSchema schema, OpenApiSchemas schemas, OpenApiOptions options, IReadOnlyCollection<ServiceDescriptor> services)
    {
        _schema = schema;
        _schemas = schemas;
        _options = options;
        var fields = new FieldIndex(schema);
        _parameters = new(schemas, fields);
        _bindings = services.SelectMany(service => service.Methods).ToDictionary(method => method, method => HttpRules.Of(method, fields));
        _sharedNames = [.. services.GroupBy(service => service.Name).Where(group => group.Count() > 1).Select(group => group.Key)];
    }

    /// <summary>All operations, by path; paths in ordinal order, HTTP methods in the order of the contract.</summary>
    public JsonObject Paths()
    {
        var firstNames = new Dictionary<string, string[]>();
        var paths = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var binding in _bindings.Values.SelectMany(bindings => bindings))
        {
            var shape = OpenApiPath.Shape(binding.Template);
            var path = OpenApiPath.Of(binding.Template, firstNames.GetValueOrDefault(shape));
            firstNames.TryAdd(shape, [.. path.Parameters.Select(parameter => parameter.Name)]);
            if (!paths.TryGetValue(path.Text, out var item))
            {
                paths.Add(path.Text, item = []);
            }

            item[binding.HttpMethod.ToLowerInvariant()] = Operation(binding, path);
        }

        return new(paths.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value)));
    }

    /// <summary>A service with all of its methods, also those that REST cannot call.</summary>
    public JsonObject Describe(ServiceDescriptor service) => new()
    {
        ["name"] = service.FullName,
        ["description"] = _schema.CommentOf(service),
        ["methods"] = new JsonArray([.. service.Methods.Select(method => new JsonObject
        {
            ["name"] = method.Name,
            ["path"] = $"/{service.FullName}/{method.Name}",
            ["description"] = _schema.CommentOf(method),
            ["clientStreaming"] = method.IsClientStreaming,
            ["serverStreaming"] = method.IsServerStreaming,
            ["request"] = _schemas.Of(method.InputType),
            ["response"] = _schemas.Of(method.OutputType),
            ["operations"] = new JsonArray([.. _bindings[method].Select(binding => JsonValue.Create(OperationId(binding)))]),
        })]),
    };

    private JsonObject Operation(HttpBinding binding, OpenApiPath path)
    {
        var operation = new JsonObject
        {
            ["operationId"] = OperationId(binding),
            ["tags"] = new JsonArray(binding.Method.Service.FullName),
        };
        var comment = _schema.CommentOf(binding.Method);
        if (comment.Length > 0)
        {
            operation["summary"] = FirstSentence(comment);
            operation["description"] = comment;
        }

        if (_parameters.Of(binding, path) is { Count: > 0 } parameters)
        {
            operation["parameters"] = parameters;
        }

        if (binding.Body != BodyKind.None)
        {
            var body = binding.BodyField is { } field ? _schemas.Of(field) : _schemas.Of(binding.Method.InputType);
            operation["requestBody"] = new JsonObject
            {
                ["required"] = binding.BodyField is { } bodyField && OpenApiConstraints.IsRequired(bodyField),
                ["content"] = Content(body, "application/json"),
            };
        }

        operation["responses"] = Responses(binding);
        operation["security"] = Security(binding.Method);
        if (binding.Method.GetOptions() is { Deprecated: true })
        {
            operation["deprecated"] = true;
        }

        return operation;
    }

    private JsonObject Responses(HttpBinding binding)
    {
        JsonObject Schema() => binding.ResponseField is { } field ? _schemas.Of(field) : _schemas.Of(binding.Method.OutputType);
        var success = binding.Method.IsServerStreaming
            ? new JsonObject
            {
                ["description"] = "A stream: one JSON object per line, or, when the request accepts text/event-stream, one per event. "
                    + "An error after the first one is the last line, `{\"error\": …}`, or an event of the type `error`.",
                ["content"] = Content(Schema(), "application/x-ndjson", "text/event-stream"),
            }
            : new JsonObject { ["description"] = "Done.", ["content"] = Content(Schema(), "application/json") };
        return new() { ["200"] = success, ["default"] = new JsonObject { ["$ref"] = "#/components/responses/Error" } };
    }

    private JsonArray Security(MethodDescriptor method)
    {
        var bearer = new JsonObject { ["bearer"] = new JsonArray() };
        return _options.RequiresToken?.Invoke(method) switch
        {
            true => new(bearer),
            // An empty requirement makes the other ones optional.
            _ => new(new JsonObject(), bearer),
        };
    }

    private string OperationId(HttpBinding binding)
    {
        var service = binding.Method.Service;
        var name = _sharedNames.Contains(service.Name) ? service.FullName : service.Name;
        return binding.Index == 0
            ? $"{name}_{binding.Method.Name}"
            : string.Create(CultureInfo.InvariantCulture, $"{name}_{binding.Method.Name}_{binding.Index + 1}");
    }

    private static JsonObject Content(JsonObject schema, params string[] types) =>
        new(types.Select(type => KeyValuePair.Create(type, (JsonNode?)new JsonObject { ["schema"] = schema.DeepClone() })));

    private static string FirstSentence(string comment)
    {
        var paragraph = comment.Split("\n\n")[0].ReplaceLineEndings(" ");
        var end = paragraph.IndexOf(". ", StringComparison.Ordinal);
        return (end < 0 ? paragraph : paragraph[..end]).TrimEnd('.');
    }
}
