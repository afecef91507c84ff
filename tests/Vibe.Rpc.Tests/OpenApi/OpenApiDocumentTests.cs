using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vibe.Rpc.Json;
using Vibe.Rpc.OpenApi;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.OpenApi;

public sealed partial class OpenApiDocumentTests
{
    private static readonly ProtoSchema Schema = LoadSchema();
    private static readonly JsonObject Document = Create();

    [Fact]
    public void Every_reference_resolves()
    {
        var references = Nodes(Document).OfType<JsonObject>().Select(node => (string?)node["$ref"]).OfType<string>().Distinct().ToArray();

        Assert.NotEmpty(references);
        Assert.All(references, reference =>
        {
            var target = reference.Split('/').Skip(1).Aggregate((JsonNode?)Document, (node, name) => node?[name]);
            Assert.NotNull(target);
        });
    }

    [Fact]
    public void Every_parameter_of_a_path_is_declared_and_no_other()
    {
        Assert.All(Operations(), operation =>
        {
            var declared = Parameters(operation.Node).Where(parameter => (string?)parameter["in"] == "path").ToArray();
            Assert.Equal(
                PathParameter().Matches(operation.Path).Select(match => match.Groups[1].Value).Order(),
                declared.Select(parameter => (string)parameter["name"]!).Order());
            Assert.All(declared, parameter => Assert.True((bool)parameter["required"]!));
        });
    }

    [Fact]
    public void No_operation_declares_a_parameter_twice() => Assert.All(Operations(), operation =>
    {
        var names = Parameters(operation.Node).Select(parameter => $"{parameter["in"]} {parameter["name"]}").ToArray();
        Assert.Equal(names.Distinct(), names);
    });

    [Fact]
    public void Operation_ids_are_unique()
    {
        var ids = Operations().Select(operation => (string)operation.Node["operationId"]!).ToArray();

        Assert.Equal(ids.Distinct().Order(), ids.Order());
        Assert.Contains("RpcTestService_Echo", ids);
        Assert.Contains("RpcTestService_Echo_5", ids);
    }

    [Fact]
    public void Every_object_has_what_OpenAPI_requires()
    {
        Assert.Equal("3.1.1", (string?)Document["openapi"]);
        Assert.NotNull(Document["info"]!["title"]);
        Assert.NotNull(Document["info"]!["version"]);
        Assert.All(Operations(), operation =>
        {
            Assert.NotEmpty(operation.Node["responses"]!.AsObject());
            Assert.All(Parameters(operation.Node), parameter => Assert.NotNull(parameter["schema"]));
            Assert.All(operation.Node["responses"]!.AsObject(), response => Assert.True(
                response.Value!["$ref"] is not null || response.Value["description"] is not null));
        });
        Assert.All(Document["paths"]!.AsObject(), path => Assert.StartsWith("/", path.Key, StringComparison.Ordinal));
        Assert.All(Document["components"]!["schemas"]!.AsObject(), schema => Assert.Matches("^[a-zA-Z0-9._-]+$", schema.Key));
    }

    [Fact]
    public void No_two_paths_differ_only_in_the_names_of_their_parameters()
    {
        var shapes = Document["paths"]!.AsObject().Select(path => PathParameter().Replace(path.Key, "{}")).ToArray();

        Assert.Equal(shapes.Distinct(), shapes);
    }

    [Fact]
    public void The_same_contract_gives_the_same_bytes() => Assert.Equal(Document.ToJsonString(), Create().ToJsonString());

    [Fact]
    public void A_variable_of_several_segments_becomes_a_parameter_for_each()
    {
        var paths = Document["paths"]!.AsObject().Select(path => path.Key).ToArray();

        Assert.Equal(
            [
                "/test/v1/echo", "/test/v1/echo/{message.text}", "/test/v1/expand", "/test/v1/fail", "/test/v1/files/{name}",
                "/test/v1/shelves/{shelves}/books/{books}:read", "/test/v1/wait",
            ],
            paths);
        Assert.True((bool)Operation("GET", "/test/v1/files/{name}")["parameters"]![0]!["x-multi-segment"]!);
        Assert.NotNull(Document["paths"]!["/test/v1/echo/{message.text}"]!["patch"]);
    }

    [Fact]
    public void Rules_are_constraints_and_comments_are_descriptions()
    {
        var request = Document["components"]!["schemas"]!["vibe.rpctest.v1.EchoRequest"]!;

        Assert.Equal("Says what to echo.", (string?)request["description"]);
        AssertJson(
            """{"type":"string","maxLength":1024,"description":"A name with structure.\n\nAt most 1024 bytes of UTF-8."}""", request["properties"]!["name"]);
        AssertJson(
            """{"type":"array","items":{"type":"string"},"maxItems":8,"description":"Repeated in a query string."}""", request["properties"]!["words"]);
        AssertJson(
            """{"type":"integer","format":"int32","minimum":0,"maximum":67108864,"description":"Adds so many bytes of padding to the answer."}""",
            request["properties"]!["paddingBytes"]);
    }

    [Theory]
    [InlineData("int64Value", """{"type":"string","format":"int64"}""")]
    [InlineData("uint32Value", """{"type":"integer","format":"int64","minimum":0}""")]
    [InlineData("bytesValue", """{"type":"string","contentEncoding":"base64"}""")]
    [InlineData("child", """{"$ref":"#/components/schemas/vibe.rpctest.v1.AllTypes"}""")]
    [InlineData("labels", """{"type":"object","additionalProperties":{"type":"string"}}""")]
    [InlineData("byNumber", """{"type":"object","additionalProperties":{"$ref":"#/components/schemas/vibe.rpctest.v1.AllTypes"}}""")]
    [InlineData("colors", """{"type":"array","items":{"$ref":"#/components/schemas/vibe.rpctest.v1.AllTypes.Color"}}""")]
    [InlineData("time", """{"type":"string","format":"date-time"}""")]
    [InlineData("data", """{"type":"object","additionalProperties":true}""")]
    [InlineData("value", "{}")]
    [InlineData("wrappedInt64", """{"type":["string","null"],"format":"int64"}""")]
    [InlineData("otherName", """{"type":"string"}""")]
    public void Each_field_type_has_the_schema_of_its_JSON_form(string name, string expected)
    {
        var property = Document["components"]!["schemas"]!["vibe.rpctest.v1.AllTypes"]!["properties"]![name]!.DeepClone().AsObject();
        property.Remove("description");

        AssertJson(expected, property);
    }

    [Fact]
    public void Enum_values_are_explained()
    {
        var color = Document["components"]!["schemas"]!["vibe.rpctest.v1.AllTypes.Color"]!;

        AssertJson("""["COLOR_UNSPECIFIED","COLOR_RED","COLOR_GREEN","COLOR_NEGATIVE"]""", color["enum"]);
        Assert.Contains("- `COLOR_RED`: Red.", (string?)color["description"], StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_has_both_of_its_content_types()
    {
        var content = Operation("GET", "/test/v1/expand")["responses"]!["200"]!["content"]!.AsObject();

        Assert.Equal(["application/x-ndjson", "text/event-stream"], content.Select(type => type.Key));
    }

    [Fact]
    public void Methods_that_REST_cannot_call_are_listed_besides()
    {
        var service = Assert.Single(Document["x-services"]!.AsArray())!;
        var chat = service["methods"]!.AsArray().Single(method => (string?)method!["name"] == "Chat")!;

        Assert.True((bool)chat["clientStreaming"]! && (bool)chat["serverStreaming"]!);
        Assert.Empty(chat["operations"]!.AsArray());
    }

    [Fact]
    public void A_token_is_required_where_the_options_say_so()
    {
        var document = Create(options => options.RequiresToken = method => method.Name == "Fail");

        AssertJson("""[{"bearer":[]}]""", document["paths"]!["/test/v1/fail"]!["post"]!["security"]);
        AssertJson("""[{},{"bearer":[]}]""", document["paths"]!["/test/v1/wait"]!["get"]!["security"]);
    }

    private static JsonObject Create(Action<OpenApiOptions>? configure = null)
    {
        var options = new OpenApiOptions { Title = "Test", IncludeService = service => service.FullName == RpcTestService.Descriptor.FullName };
        configure?.Invoke(options);
        return OpenApiDocument.Create(Schema, options);
    }

    private static ProtoSchema LoadSchema()
    {
        using var stream = typeof(RpcTestService).Assembly.GetManifestResourceStream("descriptors.binpb")!;
        return ProtoSchema.Load(stream);
    }

    private static IEnumerable<JsonNode> Nodes(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => Nodes(member.Value)).Prepend(members),
        JsonArray items => items.SelectMany(Nodes),
        _ => [],
    };

    private static IEnumerable<(string Path, JsonObject Node)> Operations() =>
        Document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => (path.Key, operation.Value!.AsObject())));

    private static JsonObject Operation(string method, string path) =>
        Document["paths"]![path]![method.ToLowerInvariant()]!.AsObject();

    private static IEnumerable<JsonNode> Parameters(JsonObject operation) => operation["parameters"]?.AsArray().OfType<JsonNode>() ?? [];

    private static void AssertJson(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), actual?.ToJsonString());

    [GeneratedRegex(@"\{([^}]+)\}")]
    private static partial Regex PathParameter();
}
