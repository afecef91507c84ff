using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Vibe.Rpc.Json;
using Vibe.Rpc.Rest;
using Vibe.RpcTest.Twin.V1;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Rest;

public sealed class RequestBinderTests
{
    private const int QueryOnly = -1;
    private const int Whole = 0;
    private const int TextInPath = 1;
    private const int NameInPath = 3;
    private const int FieldBody = 4;

    private static readonly FieldIndex Fields = new(null);
    private static readonly IReadOnlyList<HttpBinding> Bindings = HttpRules.Of(RpcTestService.Descriptor.FindMethodByName("Echo"), Fields);
    private static readonly HttpBinding QueryBinding = new()
    {
        Method = Bindings[0].Method,
        Index = 0,
        HttpMethod = "GET",
        Template = PathTemplate.Parse("/test/v1/echo"),
        Variables = [],
        Body = BodyKind.None,
    };

    private static readonly RequestBinder Binder = new(new JsonCodec(), Fields);

    [Theory]
    [InlineData("", "{}")]
    [InlineData("?", "{}")]
    [InlineData("?&&", "{}")]
    [InlineData("?name=x", """{"name":"x"}""")]
    [InlineData("?message.maybe_text", """{"message":{"maybeText":""}}""")]
    [InlineData("?name=a+b%20c%2B%26%3D", """{"name":"a b c+&="}""")]
    [InlineData("?name=data.country=\"PT\"", """{"name":"data.country=\"PT\""}""")]
    [InlineData("?name=%E2%82%AC", """{"name":"€"}""")]
    [InlineData("?words=a&words=b&words=a", """{"words":["a","b","a"]}""")]
    [InlineData("?padding_bytes=5", """{"paddingBytes":5}""")]
    [InlineData("?paddingBytes=5", """{"paddingBytes":5}""")]
    [InlineData("?padding%5Fbytes=5", """{"paddingBytes":5}""")]
    [InlineData("?message.text=x", """{"message":{"text":"x"}}""")]
    [InlineData("?message.child.child.text=x&message.text=y", """{"message":{"text":"y","child":{"child":{"text":"x"}}}}""")]
    [InlineData("?message.int32_value=-5", """{"message":{"int32Value":-5}}""")]
    [InlineData("?message.int32_value=%2B5", """{"message":{"int32Value":5}}""")]
    [InlineData("?message.int64_value=-9223372036854775808", """{"message":{"int64Value":"-9223372036854775808"}}""")]
    [InlineData("?message.uint32_value=4294967295", """{"message":{"uint32Value":4294967295}}""")]
    [InlineData("?message.uint64_value=18446744073709551615", """{"message":{"uint64Value":"18446744073709551615"}}""")]
    [InlineData("?message.sint32_value=-1&message.sint64_value=-2", """{"message":{"sint32Value":-1,"sint64Value":"-2"}}""")]
    [InlineData("?message.fixed32_value=1&message.fixed64_value=2", """{"message":{"fixed32Value":1,"fixed64Value":"2"}}""")]
    [InlineData("?message.sfixed32_value=-1&message.sfixed64_value=-2", """{"message":{"sfixed32Value":-1,"sfixed64Value":"-2"}}""")]
    [InlineData("?message.double_value=1.5e3", """{"message":{"doubleValue":1500}}""")]
    [InlineData("?message.double_value=NaN&message.float_value=-Infinity", """{"message":{"floatValue":"-Infinity","doubleValue":"NaN"}}""")]
    [InlineData("?message.float_value=0.5", """{"message":{"floatValue":0.5}}""")]
    [InlineData("?message.bool_value=true", """{"message":{"boolValue":true}}""")]
    [InlineData("?message.bytes_value=-_8", """{"message":{"bytesValue":"+/8="}}""")]
    [InlineData("?message.bytes_value=%2B%2F8%3D", """{"message":{"bytesValue":"+/8="}}""")]
    [InlineData("?message.color=COLOR_RED", """{"message":{"color":"COLOR_RED"}}""")]
    [InlineData("?message.color=RED", """{"message":{"color":"COLOR_RED"}}""")]
    [InlineData("?message.color=2", """{"message":{"color":"COLOR_GREEN"}}""")]
    [InlineData("?message.color=-1", """{"message":{"color":"COLOR_NEGATIVE"}}""")]
    [InlineData("?message.color=7", """{"message":{"color":7}}""")]
    [InlineData("?message.colors=RED&message.colors=2", """{"message":{"colors":["COLOR_RED","COLOR_GREEN"]}}""")]
    [InlineData("?message.numbers=1&message.numbers=2", """{"message":{"numbers":[1,2]}}""")]
    [InlineData("?message.maybe=0&message.maybe_text=", """{"message":{"maybe":0,"maybeText":""}}""")]
    [InlineData("?message.choice_text=x", """{"message":{"choiceText":"x"}}""")]
    [InlineData("?message.choice_child.text=x", """{"message":{"choiceChild":{"text":"x"}}}""")]
    [InlineData("?message.time=2026-01-02T03:04:05.5Z", """{"message":{"time":"2026-01-02T03:04:05.500Z"}}""")]
    [InlineData("?message.duration=1.5s", """{"message":{"duration":"1.500s"}}""")]
    [InlineData("?message.mask=a.bC,d", """{"message":{"mask":"a.bC,d"}}""")]
    [InlineData("?message.wrapped_int32=0", """{"message":{"wrappedInt32":0}}""")]
    [InlineData("?message.wrapped_int64=7&message.wrapped_uint64=8", """{"message":{"wrappedInt64":"7","wrappedUint64":"8"}}""")]
    [InlineData("?message.wrapped_bool=false&message.wrapped_string=", """{"message":{"wrappedBool":false,"wrappedString":""}}""")]
    [InlineData("?message.wrapped_bytes=AQ&message.wrapped_double=2", """{"message":{"wrappedDouble":2,"wrappedBytes":"AQ=="}}""")]
    [InlineData("?message.otherName=x", """{"message":{"otherName":"x"}}""")]
    [InlineData("?message.renamed=x", """{"message":{"otherName":"x"}}""")]
    public void A_query_string_fills_the_request(string query, string expected)
    {
        var request = Bind(QueryOnly, null, query, "");

        Assert.Equal(JsonNode.Parse(expected)!.ToJsonString(), JsonNode.Parse(JsonFormatter.Default.Format(request))!.ToJsonString());
    }

    [Theory]
    [InlineData("?nothing=1", "nothing", "is not a field of the request")]
    [InlineData("?Message.text=1", "Message.text", "is not a field of the request")]
    [InlineData("?message.nothing=1", "message.nothing", "is not a field of the request")]
    [InlineData("?message.=1", "message.", "is not a field of the request")]
    [InlineData("?.message=1", ".message", "is not a field of the request")]
    [InlineData("?=1", "", "is not a field of the request")]
    [InlineData("?message=%7B%7D", "message", "is a message or a map, which a URL cannot hold")]
    [InlineData("?message.data=%7B%7D", "message.data", "is a message or a map, which a URL cannot hold")]
    [InlineData("?message.data.fields=1", "message.data.fields", "leads through a field that is not a single message")]
    [InlineData("?message.any.type_url=x", "message.any.type_url", "leads through a field that is not a single message")]
    [InlineData("?message.value=1", "message.value", "is a message or a map, which a URL cannot hold")]
    [InlineData("?message.children=1", "message.children", "is a message or a map, which a URL cannot hold")]
    [InlineData("?message.labels=1", "message.labels", "is a message or a map, which a URL cannot hold")]
    [InlineData("?message.labels.a=1", "message.labels.a", "leads through a field that is not a single message")]
    [InlineData("?message.children.text=1", "message.children.text", "leads through a field that is not a single message")]
    [InlineData("?message.text.x=1", "message.text.x", "leads through a field that is not a single message")]
    [InlineData("?message.time.seconds=1", "message.time.seconds", "leads through a field that is not a single message")]
    [InlineData("?message.wrapped_int32.value=1", "message.wrapped_int32.value", "leads through a field that is not a single message")]
    [InlineData("?padding_bytes=1&padding_bytes=1", "padding_bytes", "is given more than once")]
    [InlineData("?padding_bytes=1&paddingBytes=1", "paddingBytes", "is given more than once")]
    [InlineData("?message.choice_text=a&message.choice_child.text=b", "message.choice_child.text", "cannot be set together with choiceText")]
    [InlineData("?name=x", "name", "is set by the path already")]
    [InlineData("?padding_bytes=", "padding_bytes", "must be a 32-bit integer")]
    [InlineData("?padding_bytes=1.0", "padding_bytes", "must be a 32-bit integer")]
    [InlineData("?padding_bytes=+1", "padding_bytes", "must be a 32-bit integer")]
    [InlineData("?padding_bytes=2147483648", "padding_bytes", "must be a 32-bit integer")]
    [InlineData("?message.int64_value=9223372036854775808", "message.int64_value", "must be a 64-bit integer")]
    [InlineData("?message.uint32_value=-1", "message.uint32_value", "must be an unsigned 32-bit integer")]
    [InlineData("?message.uint64_value=1e3", "message.uint64_value", "must be an unsigned 64-bit integer")]
    [InlineData("?message.double_value=1e999", "message.double_value", "must be a floating-point number")]
    [InlineData("?message.double_value=infinity", "message.double_value", "must be a floating-point number")]
    [InlineData("?message.double_value=1,5", "message.double_value", "must be a floating-point number")]
    [InlineData("?message.float_value=1e39", "message.float_value", "must be a 32-bit floating-point number")]
    [InlineData("?message.bool_value=1", "message.bool_value", "must be true or false")]
    [InlineData("?message.bool_value", "message.bool_value", "must be true or false")]
    [InlineData("?message.bytes_value=a", "message.bytes_value", "must be base64 or base64url")]
    [InlineData("?message.bytes_value=a*bc", "message.bytes_value", "must be base64 or base64url")]
    [InlineData("?message.color=red", "message.color", "must be the name or the number of a Color")]
    [InlineData("?message.color=", "message.color", "must be the name or the number of a Color")]
    [InlineData("?message.wrapped_int32=x", "message.wrapped_int32", "must be a 32-bit integer")]
    [InlineData("?words=a%", "words", "is not percent-encoded UTF-8")]
    [InlineData("?words=%ff", "words", "is not percent-encoded UTF-8")]
    [InlineData("?%ff=1", "%ff", "is not a percent-encoded UTF-8 name")]
    public void A_wrong_parameter_is_a_violation_of_its_field(string query, string field, string problem)
    {
        var error = Assert.Throws<RpcException>(() => Bind(NameInPath, "f", query, ""));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal("INVALID_PARAMETER", error.GetErrorInfo()?.Reason);
        var violation = Assert.Single(error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations);
        Assert.Equal((field, problem), (violation.Field, violation.Description));
    }

    [Theory]
    [InlineData("?message.time=yesterday", "message.time")]
    [InlineData("?message.duration=5", "message.duration")]
    [InlineData("?message.mask=a_b", "message.mask")]
    [InlineData("?message.time=%22", "message.time")]
    public void A_wrong_value_of_a_well_known_type_is_a_violation_of_its_field(string query, string field)
    {
        var error = Assert.Throws<RpcException>(() => Bind(NameInPath, "f", query, ""));

        Assert.Equal(field, Assert.Single(error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    [Theory]
    [InlineData("data", "is a message or a map, which a URL cannot hold")]
    [InlineData("choice_data", "is a message or a map, which a URL cannot hold")]
    [InlineData("data.title", "leads through a field that is not a single message")]
    [InlineData("child.data", "is a message or a map, which a URL cannot hold")]
    public void The_wire_twin_of_a_Struct_is_not_taken_for_bytes(string path, string expected)
    {
        using var descriptors = typeof(RpcTestService).Assembly.GetManifestResourceStream("descriptors.binpb")!;
        var fields = new FieldIndex(ProtoSchema.Load(descriptors));

        Assert.False(fields.TryResolve(TwinMessage.Descriptor, path, out _, out var problem));
        Assert.Equal(expected, problem);
    }

    [Fact]
    public void Every_wrong_parameter_is_named()
    {
        var error = Assert.Throws<RpcException>(() => Bind(TextInPath, "x", "?a=1&padding_bytes=x&words=ok&message.text=y", ""));

        Assert.Equal(["a", "padding_bytes", "message.text"], error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Select(v => v.Field));
        Assert.Equal("a: is not a field of the request (and 2 more)", error.Status.Detail);
    }

    [Fact]
    public void A_path_that_is_nested_too_deep_is_refused_before_it_is_followed()
    {
        var error = Assert.Throws<RpcException>(() => Bind(NameInPath, "f", $"?message.{string.Concat(Enumerable.Repeat("child.", 3000))}text=x", ""));

        var violation = Assert.Single(error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations);
        Assert.Equal("is nested deeper than 32 levels", violation.Description);
        Assert.True(violation.Field.Length <= 101);
    }

    [Theory]
    [InlineData(Whole, null, "", """{"message":{"text":"x"},"words":["a"]}""", """{"message":{"text":"x"},"words":["a"]}""")]
    [InlineData(Whole, null, "", "", "{}")]
    [InlineData(FieldBody, "n", "?words=a", """{"text":"x"}""", """{"message":{"text":"x"},"name":"n","words":["a"]}""")]
    [InlineData(FieldBody, "n", "", "", """{"name":"n"}""")]
    [InlineData(TextInPath, "x", "?message.int32_value=1", "", """{"message":{"text":"x","int32Value":1}}""")]
    public void Body_path_and_query_fill_one_request(int binding, string? variable, string query, string body, string expected)
    {
        var request = Bind(binding, variable, query, body);

        Assert.Equal(EchoRequest.Parser.ParseJson(expected), request);
    }

    [Theory]
    [InlineData(Whole, null, "?name=x", "", "name", "belongs in the body, not in the query string")]
    [InlineData(FieldBody, "n", "?message.text=x", "", "message.text", "belongs in the body, not in the query string")]
    [InlineData(FieldBody, "n", "?name=x", "", "name", "is set by the path already")]
    public void What_the_body_or_the_path_sets_the_query_cannot(
        int binding, string? variable, string query, string body, string field, string problem)
    {
        var error = Assert.Throws<RpcException>(() => Bind(binding, variable, query, body));

        var violation = Assert.Single(error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations);
        Assert.Equal((field, problem), (violation.Field, violation.Description));
    }

    [Fact]
    public void A_body_where_there_is_none_is_refused()
    {
        var error = Assert.Throws<RpcException>(() => Bind(TextInPath, "x", "", "{}"));

        Assert.Equal("UNEXPECTED_BODY", error.GetErrorInfo()?.Reason);
    }

    [Fact]
    public void A_broken_escape_in_the_path_is_a_violation_of_its_field()
    {
        var request = new EchoRequest();
        var error = Assert.Throws<RpcException>(() => Binder.Bind(Bindings[TextInPath], [null], "", default, request));

        Assert.Equal("message.text", Assert.Single(error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    private static EchoRequest Bind(int binding, string? variable, string query, string body)
    {
        var request = new EchoRequest();
        Binder.Bind(
            binding == QueryOnly ? QueryBinding : Bindings[binding],
            variable is null ? [] : [variable],
            query,
            new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(body)),
            request);
        return request;
    }
}
