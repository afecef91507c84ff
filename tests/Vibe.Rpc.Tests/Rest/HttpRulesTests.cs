using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Vibe.Rpc.Rest;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Rest;

public sealed class HttpRulesTests
{
    [Fact]
    public void The_test_service_has_the_bindings_that_its_contract_says()
    {
        var fields = new FieldIndex(null);
        var bindings = RpcTestService.Descriptor.Methods.SelectMany(method => HttpRules.Of(method, fields));

        Assert.Equal(
            [
                "Echo 0: POST /test/v1/echo body=Message()",
                "Echo 1: GET /test/v1/echo/{message.text} body=None()",
                "Echo 2: GET /test/v1/{name=shelves/*/books/*}:read body=None() response=message",
                "Echo 3: GET /test/v1/files/{name=**} body=None()",
                "Echo 4: PATCH /test/v1/echo/{name} body=Field(message) response=message",
                "Expand 0: GET /test/v1/expand body=None()",
                "Fail 0: POST /test/v1/fail body=Message()",
                "Wait 0: GET /test/v1/wait body=None()",
            ],
            bindings.Select(binding => $"{binding.Method.Name} {binding.Index}: {binding} body={binding.Body}({binding.BodyField?.Name})"
                + (binding.ResponseField is { } field ? $" response={field.Name}" : "")));
    }

    public static TheoryData<HttpRule, string> BadRules => new()
    {
        { new() { Body = "*" }, "a binding has no HTTP method and path" },
        { new() { Get = "v1" }, "path template 'v1': a path starts with '/' at position 0" },
        { new() { Get = "/v1/{nothing}" }, "'nothing' is not a field of the request" },
        { new() { Get = "/v1/{message}" }, "'message' is a message or a map" },
        { new() { Get = "/v1/{message.labels}" }, "'message.labels' is a message or a map" },
        { new() { Get = "/v1/{message.data}" }, "'message.data' is a message or a map" },
        { new() { Get = "/v1/{words}" }, "'words' is repeated" },
        { new() { Get = "/v1/{name.text}" }, "'name.text' leads through a field that is not a single message" },
        { new() { Get = "/v1/{message.children.text}" }, "leads through a field that is not a single message" },
        { new() { Get = "/v1/{message.time.seconds}" }, "leads through a field that is not a single message" },
        { new() { Get = "/v1/{message.other_name}" }, "'message.other_name' is not a field of the request" },
        { new() { Get = "/v1/{message.renamed}/{message.otherName}" }, "'message.otherName' is bound twice" },
        { new() { Get = "/v1", Body = "*" }, "GET has no body" },
        { new() { Delete = "/v1", Body = "message" }, "DELETE has no body" },
        { new() { Post = "/v1", Body = "nothing" }, "body: vibe.rpctest.v1.EchoRequest has no field 'nothing'" },
        { new() { Post = "/v1", Body = "message.text" }, "body: vibe.rpctest.v1.EchoRequest has no field 'message.text'" },
        { new() { Post = "/v1", ResponseBody = "nothing" }, "response_body: vibe.rpctest.v1.EchoResponse has no field 'nothing'" },
        { new() { Put = "/v1/{name}", Body = "name" }, "'name' is both in the path and the body" },
        { new() { Get = "/v1", Selector = "other.Service.Method" }, "the selector 'other.Service.Method' is another method's" },
        { new() { Custom = new() { Kind = "*", Path = "/v1" } }, "'*' is not an HTTP method to bind" },
        { new() { Custom = new() { Kind = "get", Path = "/v1" } }, "'get' is not an HTTP method to bind" },
        { new() { Custom = new() { Kind = "OPTIONS", Path = "/v1" } }, "'OPTIONS' is not an HTTP method to bind" },
        { new() { Get = "/v1", AdditionalBindings = { new HttpRule { Get = "/v2", AdditionalBindings = { new HttpRule() } } } }, "additional bindings may not nest" },
        { new() { Get = "/v1", AdditionalBindings = { new HttpRule() } }, "a binding has no HTTP method and path" },
    };

    [Theory]
    [MemberData(nameof(BadRules))]
    public void A_wrong_annotation_is_refused_with_the_name_of_the_method(HttpRule rule, string problem)
    {
        var exception = Assert.Throws<InvalidOperationException>(() => HttpRules.Of(Method(rule), new(null)));

        Assert.StartsWith("google.api.http of test.Service.Method: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(problem, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_stream_cannot_be_called_by_REST()
    {
        var exception = Assert.Throws<InvalidOperationException>(
            () => HttpRules.Of(Method(new() { Post = "/v1", Body = "*" }, clientStreaming: true), new(null)));

        Assert.Contains("a method whose client streams cannot be called by REST", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_custom_method_is_bound()
    {
        var binding = Assert.Single(HttpRules.Of(Method(new() { Custom = new() { Kind = "SEARCH", Path = "/v1" }, Body = "*" }), new(null)));

        Assert.Equal("SEARCH /v1", binding.ToString());
    }

    private static MethodDescriptor Method(HttpRule rule, bool clientStreaming = false)
    {
        var options = new MethodOptions();
        options.SetExtension(AnnotationsExtensions.Http, rule);
        var file = new FileDescriptorProto
        {
            Name = "test.proto",
            Package = "test",
            Syntax = "proto3",
            Dependency = { RpctestServiceReflection.Descriptor.Name },
            Service =
            {
                new ServiceDescriptorProto
                {
                    Name = "Service",
                    Method =
                    {
                        new MethodDescriptorProto
                        {
                            Name = "Method",
                            InputType = "." + EchoRequest.Descriptor.FullName,
                            OutputType = "." + EchoResponse.Descriptor.FullName,
                            ClientStreaming = clientStreaming,
                            Options = options,
                        },
                    },
                },
            },
        };
        var seen = new List<FileDescriptor>();
        Visit(RpctestServiceReflection.Descriptor);
        ExtensionRegistry registry = [AnnotationsExtensions.Http];
        var files = FileDescriptor.BuildFromByteStrings([.. seen.Select(known => known.SerializedData), file.ToByteString()], registry);
        return files[^1].Services[0].Methods[0];

        void Visit(FileDescriptor known)
        {
            foreach (var import in known.Dependencies)
            {
                Visit(import);
            }

            if (!seen.Contains(known))
            {
                seen.Add(known);
            }
        }
    }
}
